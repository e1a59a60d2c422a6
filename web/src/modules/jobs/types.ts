import type { components } from '@/api/schema'

export type Job = components['schemas']['Job']
export type JobState = Job['state']

export const jobStates = ['available', 'scheduled', 'pending', 'running', 'retryable', 'completed', 'cancelled', 'discarded'] as const satisfies readonly JobState[]

/** Over for good, unless somebody has it tried again. */
export const isOver = ({ state }: Job) => state === 'completed' || state === 'cancelled' || state === 'discarded'
