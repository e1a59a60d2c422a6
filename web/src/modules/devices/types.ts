import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Device = Schemas['Device']
/** How a device is; what is not known is null. Shares are from 0 to 1. */
export type Health = Schemas['DeviceHealth']
/** What changes of a device while a list shows it. */
export type DeviceStatus = Schemas['DeviceStatus']
export type Binding = Schemas['DeviceBinding']
export type DeviceConfig = Schemas['DeviceConfig']
export type BulkResult = Schemas['BulkResult']
export type ImportResult = Schemas['DeviceImportOutputBody']
export type Claim = Schemas['DeviceClaim']

/** A configuration with the tag that a change must name. */
export interface VersionedConfig {
  config: DeviceConfig
  tag: string
}
