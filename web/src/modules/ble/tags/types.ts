import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Tag = Schemas['Tag']
export type TagBinding = Schemas['TagBinding']
export type UnknownTag = Schemas['UnknownTag']
export type ImportResult = Schemas['TagImportOutputBody']
export type Warning = NonNullable<Tag['warnings']>[number]

/** What can carry a tag. */
export const tagTypes = ['person', 'asset', 'vehicle'] as const
export type TagType = (typeof tagTypes)[number]

/** What a tag is bound to. */
export interface Bound {
  type: TagType
  name: string
  description: string
}

/** Below this a battery should be changed soon, in percent. */
export const lowBattery = 20
