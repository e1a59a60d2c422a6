/** Up to two letters, or a letter and a short number, that stand for a name on its avatar. */
export function initials(name: string): string {
  const words = name.split(/[\s_.-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word))
  const first = words[0]
  if (first === undefined) return '?'
  const last = words.length > 1 ? words[words.length - 1] : undefined
  const number = last && /\d{1,2}(?!\d)/u.exec(last)?.[0]
  return (firstLetter(first) + (number || (last ? firstLetter(last) : ''))).toUpperCase()
}

function firstLetter(word: string): string {
  return /[\p{L}\p{N}]/u.exec(word)?.[0] ?? ''
}
