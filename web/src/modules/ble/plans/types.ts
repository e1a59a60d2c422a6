import type { components } from '@/api/schema'
import type { ServerPlan } from './editor/convert'

// The server's objects under the names this room uses.

export interface PlanRef {
  id: string
  name: string
  level: number
}

/** A location as a card shows it. */
export interface Place {
  id: string
  name: string
  address: string
  time_zone: string
  organisation_id: string
  organisation_name: string
  write: boolean
  plans: PlanRef[]
  receivers: number
  receivers_online: number
}

export type NewLocation = { name: string; address: string; time_zone: string }

export type Device = components['schemas']['Device']

/** A plan with all that is on it, as the editor reads it. */
export interface PlanDrawing extends ServerPlan {
  id: string
  location_id: string
  name: string
  level: number
  tag_height_m: number
}

export interface Version {
  version: number
  at: string
  /** E-mail or key; empty for somebody who is not of the organisation. */
  by: string
  what: ('plan' | 'drawing' | 'image' | 'scale' | 'receivers' | 'zones')[]
}

/** Cells row by row from the lowest left one. */
export interface Coverage {
  min_x: number
  min_y: number
  cell_m: number
  columns: number
  rows: number
  /** How many receivers would hear a tag there. */
  heard: number[]
  accuracy_m: (number | null)[]
}

export interface Accuracy {
  points: number
  median_m: number
  mean_m: number
  p90_m: number
}

export interface Calibration {
  receivers: { id: string; number: number; offset_db: number; gain_db: number; since?: string | null }[]
  survey: { walks: number; readings: number }
  references: { tag_id: string; name: string; x_m: number; y_m: number }[]
  before?: Accuracy | null
  after?: Accuracy | null
}

/** "I am here": the tag that is carried, and where. */
export interface SurveyTap {
  survey: string
  tag_id: string
  x_m: number
  y_m: number
  at?: string
  seconds?: number
}

export type TagRef = Pick<components['schemas']['Tag'], 'id' | 'name' | 'transmitter'>
