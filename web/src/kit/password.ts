/** Characters the server wants at least. */
export const minPassword = 10

// What people begin with when they are asked for a password; the server has a
// longer list and the last word.
const common = /passw|qwert|asdf|12345|11111|abc123|letmein|welcome|admin|mybeacon|парол|йцукен/i

/**
 * How hard a password is to guess, 0 to 4, by its length and variety. It is
 * advice while typing, not a test: the server decides.
 */
export function strengthOf(password: string, email = ''): 0 | 1 | 2 | 3 | 4 {
  const characters = [...password]
  if (characters.length < minPassword) return 0
  const name = email.split('@')[0]?.toLowerCase() ?? ''
  const plain = password.toLowerCase()
  if (common.test(plain) || (name.length > 2 && plain.includes(name))) return 1
  const bits = characters.length * Math.log2(alphabetOf(password)) * varietyOf(characters)
  if (bits < 45) return 1
  if (bits < 60) return 2
  return bits < 75 ? 3 : 4
}

function alphabetOf(password: string): number {
  const parts: [RegExp, number][] = [[/\p{Ll}/u, 26], [/\p{Lu}/u, 26], [/\d/, 10], [/[^\p{L}\d]/u, 24]]
  return parts.reduce((sum, [has, size]) => sum + (has.test(password) ? size : 0), 0) || 26
}

/** The share of characters that are not the one before, nor its neighbour. */
function varietyOf(characters: string[]): number {
  const codes = characters.map((character) => character.codePointAt(0) ?? 0)
  const fresh = codes.filter((code, at) => at === 0 || Math.abs(code - (codes[at - 1] ?? 0)) > 1)
  return (fresh.length / codes.length) * Math.min(1, (new Set(codes).size + 8) / codes.length)
}
