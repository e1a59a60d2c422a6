import js from '@eslint/js'
import vue from 'eslint-plugin-vue'
import ts from 'typescript-eslint'

// Direction of imports: kit, api, live, map, composables <- modules/* <- app.
// A module never imports a module; what two need moves down.
const noApp = { group: ['@/app', '@/app/*', '**/app/**'], message: 'Only app/ knows the shell.' }
const noModules = { group: ['@/modules/*', '**/modules/**'], message: 'Modules are reached through app/registry.ts only.' }
const noDomain = { group: ['@/api/*', '@/live/*', '@/map/*'], message: 'kit/ knows nothing of the domain.' }
const noData = { group: ['@/api/*', '@/live/*'], message: 'map/ draws what it is given.' }
const noECharts = { group: ['echarts', 'echarts/*'], message: 'Charts are drawn by kit/chart.' }
const leaflet = { name: 'leaflet', message: 'Leaflet stays inside map/.' }

const restrict = (files, patterns, paths = [leaflet]) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns, paths }] },
})

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...vue.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      // Every word a person reads comes from the locale files.
      'vue/no-bare-strings-in-template': ['error', { allowlist: ['·', '—', '#', '%', ':', '/'] }],
    },
  },
  {
    files: ['**/*.{ts,vue}'],
    languageOptions: { globals: browserGlobals() },
    rules: {
      'no-console': 'error',
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', { max: 80, skipComments: true, skipBlankLines: true }],
      'max-params': ['error', 5],
      '@typescript-eslint/consistent-type-imports': 'error',
      // TypeScript itself finds unknown names, and knows the DOM's.
      'no-undef': 'off',
      // One attribute per line doubles the height of a template for no gain.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'always' } }],
      'vue/multi-word-component-names': ['error', { ignores: ['App'] }],
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
    },
  },
  { files: ['**/*.test.ts', 'e2e/**'], rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-non-null-assertion': 'off' } },
  restrict(['src/modules/**'], [noApp, noModules, noECharts]),
  restrict(['src/api/**', 'src/live/**', 'src/composables/**'], [noApp, noModules, noECharts]),
  restrict(['src/kit/**'], [noApp, noModules, noDomain, noECharts]),
  restrict(['src/kit/chart/**'], [noApp, noModules, noDomain]),
  restrict(['src/map/**'], [noApp, noModules, noData, noECharts], []),
)

function browserGlobals() {
  return { window: 'readonly', document: 'readonly' }
}
