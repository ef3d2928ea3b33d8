import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { requireArtifactSize } from '../model/artifact.js';
import { run, variable } from '../model/code.js';
import { CodegenError } from '../model/errors.js';
import { within } from '../model/within.js';
import { artifactPath, outputPath } from './artifact.js';
import { defineAction } from './action.js';

export const saveDownload = defineAction({
  name: 'saveDownload',
  verifies: true,
  usesDownload: true,
  description: 'Saves the last download of the session.',
  kind: 'passive',
  fields: z.strictObject({ path: artifactPath }),
  playwrightNames: true,
  async perform({ download, files, navigationMs }, { path }) {
    if (download === undefined)
      throw new CodegenError('ACTION_FAILED', 'Nothing has been downloaded.', {
        hint: 'Record the action that starts the download first; `events` reports the download.',
      });
    const failure = await within(navigationMs, download.failure());
    if (typeof failure === 'string')
      throw new CodegenError('ACTION_FAILED', `The download failed: ${failure}.`, {
        hint: `Start it again; get_codegen_session with include ["network"] shows the server's response.`,
      });
    if (failure === undefined)
      throw new CodegenError('ACTION_FAILED', `The download did not finish within ${navigationMs} ms.`, {
        hint: 'Start it again, or raise browser.navigationTimeoutMs in the configuration.',
      });
    const file = await download.path();
    requireArtifactSize((await stat(file)).size);
    await files.save(path, await readFile(file));
  },
  toCode: ({ path }, { download = 'download' }) => [run(variable(download), 'saveAs', outputPath(path))],
});
