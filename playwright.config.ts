import { defineConfig } from '@playwright/test';

export default defineConfig({
  fullyParallel: true,
  forbidOnly: true,
  projects: [{ name: 'server', testDir: 'test' }],
});
