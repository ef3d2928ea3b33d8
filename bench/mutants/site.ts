import { serve, type Site } from '../../test/fixtures/serve.js';

const types: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };

/** Serves texts by path; `/` is `/index.html`. Any other path is not found. */
export function serveTexts(texts: Readonly<Record<string, string>>): Promise<Site> {
  return serve((_, response, { pathname }) => {
    const name = pathname === '/' ? '/index.html' : pathname;
    const text = texts[name];
    const type = types[name.replace(/^.*\./, '')] ?? 'text/plain';
    if (text === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(text);
    return Promise.resolve();
  }, 0);
}
