// The page of the API: made from the OpenAPI document, with nothing from elsewhere.
// All texts go in as text, never as markup.

/** Makes an element with properties and children. */
function el(name, props, ...children) {
  const e = Object.assign(document.createElement(name), props)
  e.append(...children.filter((c) => c !== null && c !== undefined && c !== ''))
  return e
}

const answer = await fetch('/api/openapi.json')
const spec = await answer.json()

const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, op]) => ({ path, method, op, tag: op.tags?.[0] ?? 'other' })),
)
operations.sort((a, b) => a.tag.localeCompare(b.tag) || a.path.localeCompare(b.path))

/** Follows $ref once. */
function resolve(schema) {
  const name = schema?.$ref?.split('/').pop()
  return name ? spec.components.schemas[name] : schema
}

/** Follows the $ref of a parameter, an answer or a header. */
function component(part) {
  const [kind, name] = part?.$ref?.split('/').slice(-2) ?? []
  return name ? spec.components[kind][name] : part
}

/** Names the type of a schema in a line. */
function typeOf(schema) {
  if (!schema) return 'anything'
  if (schema.$ref) return schema.$ref.split('/').pop()
  const types = [schema.type ?? 'anything'].flat()
  if (types.includes('array')) return `array of ${typeOf(schema.items)}`
  const more = [schema.format, schema.enum?.join(' | '), bounds(schema)].filter(Boolean)
  return types.join(' or ') + (more.length ? ` (${more.join(', ')})` : '')
}

function bounds(schema) {
  const parts = []
  if (schema.minimum !== undefined) parts.push(`≥ ${schema.minimum}`)
  if (schema.maximum !== undefined) parts.push(`≤ ${schema.maximum}`)
  if (schema.maxLength !== undefined) parts.push(`≤ ${schema.maxLength} characters`)
  if (schema.maxItems !== undefined) parts.push(`≤ ${schema.maxItems} items`)
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`)
  return parts.join(', ')
}

/** The rows of an object's properties; nested objects open on demand. */
function properties(schema, depth = 0) {
  const found = resolve(schema)
  const items = found?.type === 'array' ? resolve(found.items) : found
  if (!items?.properties || depth > 6) return el('code', { textContent: typeOf(schema) })
  const body = el('tbody')
  for (const [name, part] of Object.entries(items.properties)) {
    const inner = resolve([part.type].flat().includes('array') ? part.items : part)
    const cell = el('td', {}, part.description ?? '')
    if (inner?.properties) {
      const more = el('details', {}, el('summary', { textContent: 'fields' }))
      // Made when opened: schemas may hold themselves.
      more.addEventListener('toggle', () => more.children.length < 2 && more.append(properties(inner, depth + 1)))
      cell.append(more)
    }
    const required = items.required?.includes(name) ? ' *' : ''
    body.append(el('tr', {}, el('td', {}, el('code', { textContent: name + required })), el('td', { textContent: typeOf(part) }), cell))
  }
  return el('table', {}, body)
}

function parameters(op) {
  if (!op.parameters?.length) return null
  const body = el('tbody')
  for (const p of op.parameters.map(component)) {
    body.append(el('tr', {}, el('td', {}, el('code', { textContent: p.name + (p.required ? ' *' : '') })),
      el('td', { textContent: `${p.in}, ${typeOf(p.schema)}` }), el('td', { textContent: p.description ?? p.schema?.description ?? '' })))
  }
  return el('div', {}, el('h4', { textContent: 'Parameters' }), el('table', {}, body))
}

function contents(title, content) {
  if (!content) return null
  const box = el('div', {}, el('h4', { textContent: title }))
  for (const [media, { schema }] of Object.entries(content)) box.append(el('p', {}, el('code', { textContent: `${media}: ${typeOf(schema)}` })), properties(schema))
  return box
}

function responses(op) {
  const box = el('div', {}, el('h4', { textContent: 'Answers' }))
  for (const [status, told] of Object.entries(op.responses ?? {})) {
    const response = component(told)
    const one = el('details', { open: status.startsWith('2') }, el('summary', { textContent: `${status} ${response.description ?? ''}` }))
    for (const [name, header] of Object.entries(response.headers ?? {}).map(([name, h]) => [name, component(h)])) one.append(el('p', {}, el('code', { textContent: name }), ` ${header.description ?? header.schema?.description ?? ''}`))
    const body = contents('', response.content)
    if (body) one.append(body)
    box.append(one)
  }
  return box
}

function curl({ path, method, op }) {
  const body = op.requestBody ? " \\\n  -H 'Content-Type: application/json' -d @body.json" : ''
  const who = op.security?.length ? ' \\\n  -H "Authorization: Bearer $TOKEN"' : ''
  return `curl -X ${method.toUpperCase()} '${location.origin}${path}'${who}${body}`
}

function section(o) {
  return el('section', { id: o.op.operationId },
    el('h3', {}, el('span', { className: `method ${o.method}`, textContent: o.method }), el('code', { textContent: o.path })),
    el('p', {}, o.op.summary ?? ''), o.op.description ? el('p', { textContent: o.op.description }) : null,
    el('p', {}, o.op.security?.length ? `Callers: ${[...new Set(o.op.security.flatMap(Object.keys))].join(', ')}` : 'Open to everybody'),
    parameters(o.op), contents('Body', o.op.requestBody?.content), responses(o.op), el('pre', { textContent: curl(o) }))
}

/** Shows the operations that have all words of the search. */
function show() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
  const matching = operations.filter((o) => {
    const text = `${o.method} ${o.path} ${o.tag} ${o.op.summary} ${o.op.description ?? ''} ${o.op.operationId}`.toLowerCase()
    return words.every((w) => text.includes(w))
  })
  nav.replaceChildren()
  main.replaceChildren(el('p', { textContent: spec.info.description }), el('p', { textContent: `${matching.length} of ${operations.length} operations` }))
  let tag
  for (const o of matching) {
    if (o.tag !== tag) nav.append(el('h2', { textContent: (tag = o.tag) }))
    nav.append(el('a', { href: `#${o.op.operationId}` }, el('span', { className: `method ${o.method}`, textContent: o.method }), o.path.replace('/api/v1', '')))
    main.append(section(o))
  }
}

const [nav, main, search] = ['nav', 'main', 'search'].map((id) => document.getElementById(id))
document.getElementById('version').textContent = spec.info.version
search.addEventListener('input', show)
document.addEventListener('keydown', (e) => {
  if (e.key === '/' && document.activeElement !== search) {
    e.preventDefault()
    search.focus()
  }
})
show()
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView()
