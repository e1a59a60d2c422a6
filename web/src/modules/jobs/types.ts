export const jobStates = ['available', 'scheduled', 'running', 'retryable', 'completed', 'cancelled', 'discarded', 'pending'] as const
export type JobState = (typeof jobStates)[number]

export interface Job {
  id: string
  kind: string
  state: JobState
  attempt: number
  max_attempts: number
  error: string
  created_at: string
  scheduled_at: string | null
  finished_at: string | null
}

/** Over for good, unless somebody has it tried again. */
export const isOver = ({ state }: Job) => state === 'completed' || state === 'cancelled' || state === 'discarded'
