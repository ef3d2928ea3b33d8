import { CodegenError } from './errors.js';

/** Maximum size of a screenshot, PDF, download or reference screenshot. */
export const artifactBytes = 10 * 1024 * 1024;

export function requireArtifactSize(bytes: number): void {
  if (bytes <= artifactBytes) return;
  throw new CodegenError('FILE_TOO_LARGE', `The file has ${bytes} bytes; ${artifactBytes} are allowed.`, {
    hint: 'Use a smaller part, or assert what the page shows.',
  });
}

/** The directory for logins, as in Playwright's documentation. */
export const loginDirectory = 'playwright/.auth';

/** Allowed extensions of artifacts: no file that a system executes, or that runs scripts in a browser. */
export const artifactExtensions = [
  ...['.png', '.jpg', '.jpeg', '.webp', '.gif', '.pdf', '.zip', '.gz', '.tar'],
  ...['.txt', '.log', '.md', '.csv', '.tsv', '.json', '.xml', '.yaml', '.yml', '.ics'],
  ...['.docx', '.xlsx', '.pptx', '.odt', '.ods', '.odp'],
];
