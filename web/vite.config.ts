import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import vuetify from 'vite-plugin-vuetify'
import { defineConfig } from 'vitest/config'

// In development the console is served by Vite and everything under /api goes
// to a server that runs beside it; MYBEACON_DEV_SERVER points elsewhere.
const server = process.env.MYBEACON_DEV_SERVER ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue(), vuetify({ autoImport: true, styles: true }), brotli()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { proxy: { '/api': { target: server, ws: true } } },
  build: {
    target: 'es2022',
    // A font or an icon as data: would be refused by the server's content
    // security policy, so every asset stays a file of its own.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 400,
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    restoreMocks: true,
    server: { deps: { inline: ['vuetify'] } },
  },
})

/** Puts x.br beside every x that gains by it; the server sends these as they are. */
function brotli(): Plugin {
  const compress = promisify(brotliCompress)
  return {
    name: 'brotli',
    apply: 'build',
    async writeBundle({ dir = 'dist' }) {
      const names = await readdir(dir, { recursive: true })
      await Promise.all(names.filter((name) => /\.(js|css|html|svg)$/.test(name)).map(async (name) => {
        const plain = await readFile(join(dir, name))
        const packed = await compress(plain)
        if (packed.length < plain.length * 0.9) await writeFile(join(dir, `${name}.br`), packed)
      }))
    },
  }
}
