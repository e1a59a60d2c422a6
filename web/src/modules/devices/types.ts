/** What a device says of itself. Shares are from 0 to 1. */
export interface Health {
  /** As the engine counts; null while offline. */
  frames_per_minute: number | null
  /** Frames that wait to be acknowledged. */
  queue: number | null
  /** How far its clock is ahead of the engine's; null while offline. */
  clock_offset_ms: number | null
  cpu: number | null
  memory: number | null
}

export interface Device {
  id: string
  /** Receiver #N: unique in the whole system. */
  number: number
  mac: string
  name: string
  /** Empty while it is bound to nobody. */
  organisation_id: string
  organisation: string
  /** Empty while it is at no location. */
  location_id: string
  location: string
  clock: 'device' | 'source'
  status: 'online' | 'offline' | 'never'
  last_seen: string | null
  version: string
  /** Which are switched on. */
  modules: Record<string, boolean>
  /** Which run, as it reported. */
  modules_running: Record<string, boolean>
  config: { version: number; running: number; reported_at: string | null }
  health: Health | null
  /** It logs in with a key of its own. */
  enrolled: boolean
  created_at: string
}

/** What changes of a device while a list shows it. */
export type DeviceStatus = Pick<Device, 'id' | 'status' | 'last_seen' | 'config' | 'health'>

export interface Binding {
  organisation: string
  location: string
  from: string
  to: string | null
  by: string
}

export interface ModuleConfig {
  enabled: boolean
  /** What is heard more quietly is left out. */
  min_rssi_dbm?: number
}

export interface DeviceConfig {
  modules: Record<string, ModuleConfig>
  report_every_s: number
}

/** A configuration with the tag that a change must name. */
export interface VersionedConfig {
  config: DeviceConfig
  tag: string
}

export interface BulkResult {
  id: string
  ok: boolean
  problem?: string
}

export interface ImportRow {
  line: number
  ok: boolean
  problem?: string
}

export interface ImportResult {
  rows: ImportRow[]
  created: number
  changed: number
}

export interface Claim {
  id: string
  /** The first part of the code. */
  label: string
  organisation_id: string
  organisation: string
  /** Dead: it was tried wrongly too often. */
  state: 'open' | 'used' | 'expired' | 'dead'
  created_at: string
  expires_at: string
  /** Of the device that used it; 0: none. */
  device_number: number
}
