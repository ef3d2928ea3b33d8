import { CodegenError } from './errors.js';

/** Bytes that one artifact may have: a screenshot, a PDF, a download, a picture that a test compares with. */
export const artifactBytes = 10 * 1024 * 1024;

/** Throws FILE_TOO_LARGE if an artifact would have more bytes than one may have. */
export function requireArtifactSize(bytes: number): void {
  if (bytes <= artifactBytes) return;
  throw new CodegenError('FILE_TOO_LARGE', `The file has ${bytes} bytes; ${artifactBytes} are allowed.`, {
    hint: 'Use a smaller part, or assert what the page shows.',
  });
}

/** Where logins are saved, as in Playwright's documentation. */
export const loginDirectory = 'playwright/.auth';

/** What the names of artifacts end in: nothing that a system runs, or a browser opens with scripts. */
export const artifactExtensions = [
  ...['.png', '.jpg', '.jpeg', '.webp', '.gif', '.pdf', '.zip', '.gz', '.tar'],
  ...['.txt', '.log', '.md', '.csv', '.tsv', '.json', '.xml', '.yaml', '.yml', '.ics'],
  ...['.docx', '.xlsx', '.pptx', '.odt', '.ods', '.odp'],
];
