// Serves TiddlyWiki with its own server, in memory: node wiki-server.js <package> <wiki folder> <instrumented.json>
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const [folder, wikiFolder, instrumentedFile] = process.argv.slice(2);
const instrumented = JSON.parse(readFileSync(instrumentedFile, 'utf8'));
const $tw = createRequire(import.meta.url)(path.join(folder, 'boot/boot.js')).TiddlyWiki();
$tw.boot.argv = [wikiFolder];
await new Promise((resolve) => {
  $tw.boot.boot(resolve);
});

/** The tiddlers of the wiki, with the instrumented modules instead of the original ones. */
const tiddlers = [];
$tw.wiki.each((tiddler) => {
  const fields = tiddler.getFieldStrings();
  if (tiddler.fields['plugin-type'] === 'plugin') {
    const plugin = JSON.parse(tiddler.fields.text);
    for (const [title, text] of Object.entries(instrumented))
      if (plugin.tiddlers[title] !== undefined) plugin.tiddlers[title].text = text;
    fields.text = JSON.stringify(plugin);
  }
  tiddlers.push(fields);
});
const { Server } = $tw.modules.execute('$:/core/modules/server/server.js');

/** A wiki of its own for each browser context, so that no test sees what another wrote. */
function createVisit() {
  const wiki = new $tw.Wiki();
  for (const fields of tiddlers) wiki.addTiddler(new $tw.Tiddler(fields));
  wiki.readPluginInfo();
  wiki.registerPluginTiddlers('plugin');
  wiki.unpackPluginTiddlers();
  return new Server({
    wiki,
    variables: { 'root-tiddler': '$:/core/save/all', 'suppress-server-logs': 'yes' },
  });
}

const visits = new Map();
let freshPage;

const server = createServer((request, response) => {
  let visitor = /visitor=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
  if (!visits.has(visitor)) {
    visitor = randomUUID();
    visits.set(visitor, { server: createVisit(), changed: false });
    // Only the latest are used.
    if (visits.size > 12) visits.delete(visits.keys().next().value);
    response.setHeader('set-cookie', `visitor=${visitor}; Path=/; HttpOnly`);
  }
  const visit = visits.get(visitor);
  if (request.method !== 'GET') visit.changed = true;
  if (request.url === '/' && !visit.changed) {
    freshPage ??= visit.server.wiki.renderTiddler('text/plain', '$:/core/save/all');
    response.writeHead(200, { 'content-type': 'text/html' }).end(freshPage);
    return;
  }
  visit.server.requestHandler(request, response, {});
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${server.address().port}\n`);
});
