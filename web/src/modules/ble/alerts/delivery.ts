import type { Delivery } from './api'

const tones = { gathering: 'busy', sending: 'warn', sent: 'good', failed: 'bad', refused: 'quiet' } as const

/** The colour of a delivery's state. */
export const deliveryTone = ({ state }: Delivery) => tones[state]
