import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Application } from './mutants/application.js';
import { formatMiss, formatRepeats, formatTable, tellingMisses } from './mutants/report.js';
import { tryMutants, type Outcome } from './mutants/run.js';
import { shop } from './mutants/shop.js';
import { makeSpecs, versions } from './mutants/specs.js';
import { staff } from './mutants/staff.js';
import { survey } from './mutants/survey.js';
import { wiki } from './mutants/wiki.js';
import { results } from './tests/playwright.js';

const { values } = parseArgs({
  options: {
    /** Only the application with this name. */
    app: { type: 'string' },
    /** How many of the mutants that the flow executes are tried. */
    limit: { type: 'string' },
    /** Prints the result as JSON. */
    json: { type: 'boolean', default: false },
    /** Also runs each version ten times without a mutant, half of them with the clock two days ahead. */
    repeat: { type: 'boolean', default: false },
  },
});

const applications = [shop, survey, wiki, staff].filter(
  ({ name }) => values.app === undefined || values.app === name,
);
if (applications.length === 0) throw new Error(`No application is called ${values.app ?? ''}.`);
const folder = path.join(results, 'mutants');
const outcomes: Outcome[] = [];
for (const application of applications) {
  const outcome = await measure(application);
  outcomes.push(outcome);
  // Applications may be measured one by one; each keeps its result.
  await writeFile(path.join(folder, `${application.name}.json`), JSON.stringify(outcome, null, 2));
}
if (values.json) console.log(JSON.stringify(outcomes, null, 2));
else {
  for (const outcome of outcomes) {
    console.log(`\nVisible in ${outcome.application}, caught by the expert only:`);
    for (const mutant of tellingMisses(outcome)) console.log(formatMiss(mutant));
  }
  console.log(`\n${formatTable(outcomes)}\n${formatRepeats(outcomes)}`);
}

async function measure(application: Application): Promise<Outcome> {
  const { name, kind, sample = Infinity } = application;
  const running = await application.start();
  const { baseURL, mutants } = running;
  const own = path.join(results, 'mutants', name);
  try {
    const workspace = path.join(own, 'workspace');
    await rm(own, { recursive: true, force: true });
    await mkdir(workspace, { recursive: true });
    const specs = await makeSpecs(application, baseURL, workspace);
    for (const version of versions) await writeFile(path.join(own, `${version}.ts`), specs[version]);
    const limit = values.limit === undefined ? sample : Number(values.limit);
    const repeat = values.repeat ? 10 : 0;
    return await tryMutants({
      name,
      kind,
      baseURL,
      mutants,
      specs,
      folder: path.join(own, 'run'),
      limit,
      repeat,
    });
  } finally {
    await running.close();
  }
}
