/** What decides which browser process serves a session. */
export interface BrowserChoice {
  name: 'chromium' | 'firefox' | 'webkit';
  headless: boolean;
  channel: string | null;
  executablePath: string | null;
  /** URLs of running browsers to connect to; empty to launch one. */
  endpoints: readonly string[];
}
