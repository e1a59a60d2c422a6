import { defineConfig } from 'vitest/config'

// The browser tests drive a real server named by MYBEACON_E2E_URL. One worker:
// they share the login limits of one server.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['e2e/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
