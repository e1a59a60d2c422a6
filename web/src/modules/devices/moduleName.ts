/** A product's module as people call it; one that this console does not know keeps its id. */
export function moduleName(id: string, t: (key: string) => string, te: (key: string) => boolean): string {
  const key = `devices.module.name.${id}`
  return te(key) ? t(key) : id
}
