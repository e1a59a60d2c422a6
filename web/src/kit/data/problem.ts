const kinds = ['away', 'forbidden', 'missing', 'limited'] as const
export type ProblemKind = (typeof kinds)[number] | 'failed'

/** What a list says of an error: errors of the API name their kind as `failure`. */
export function problemKind(error: unknown): ProblemKind {
  const failure = typeof error === 'object' && error !== null && 'failure' in error ? error.failure : undefined
  return kinds.find((kind) => kind === failure) ?? 'failed'
}
