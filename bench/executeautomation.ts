import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { z } from 'zod';
import { findBrowser } from '../src/browser/find-browser.js';
import type { FlowAction } from '../test/demo-flow.js';
import { emptyRun, type Run } from './drivers.js';
import type { Flow } from './flow-list.js';
import { installPackages } from './mutants/packages.js';

/** A server with the tools of `@executeautomation/playwright-mcp-server`, of which there are several. */
export interface ToolsServer {
  name: string;
  /** What npm installs. */
  spec: string;
}

const name = '@executeautomation/playwright-mcp-server';
export const executeAutomation: ToolsServer = { name, spec: `${name}@1.0.12` };

const resultSchema = z.object({
  content: z.array(z.looseObject({ text: z.string().default('') })),
  isError: z.boolean().optional(),
});

type Call = [tool: string, args: Record<string, unknown>];

/** Performs a flow with such a server, whose agent reads the page's HTML in each turn. Assertions are left out. */
export async function runToolsServer(
  { name, spec }: ToolsServer,
  { path: start, turns }: Flow,
  baseURL: string,
): Promise<Run> {
  const modules = await installPackages(path.basename(name), [spec]);
  const workspace = await mkdtemp(path.join(tmpdir(), 'codegen-bench-'));
  const { executablePath = '' } = (await findBrowser()) ?? {};
  const client = new Client({ name: 'bench', version: '1' });
  const run = emptyRun();
  const call = async ([tool, args]: Call): Promise<string> => {
    const before = performance.now();
    const answer = resultSchema.parse(await client.callTool({ name: tool, arguments: args }));
    const text = answer.content.map((part) => part.text).join('\n');
    run.ms += performance.now() - before;
    run.calls++;
    run.bytes += Buffer.byteLength(text);
    if (answer.isError === true) throw new Error(`${tool} failed: ${text}`);
    return text;
  };
  try {
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [path.join(modules, name, 'dist', 'index.js')],
        cwd: workspace,
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: process.env['HOME'] ?? '',
          CHROME_EXECUTABLE_PATH: executablePath,
        },
        stderr: 'ignore',
      }),
    );
    const started = await call(['start_codegen_session', { options: { outputPath: workspace } }]);
    const sessionId = /[\da-f]{8}-[\da-f-]{27}/.exec(started)?.[0];
    await call(['playwright_navigate', { url: `${baseURL}${start}`, headless: true }]);
    const look: Call = ['playwright_get_visible_html', { cleanHtml: true }];
    await call(look);
    for (const actionsOf of turns) {
      for (const action of actionsOf((line = '') => selectorOfLine(line)))
        for (const each of callsOf(action)) await call(each);
      await call(look);
    }
    await call(['end_codegen_session', { sessionId }]);
    const spec = (await readdir(workspace)).find((file) => file.endsWith('.spec.ts'));
    if (spec !== undefined) run.spec = await readFile(path.join(workspace, spec), 'utf8');
    run.statements = run.spec.split(/\n {4}\/\/ .*\n/).slice(1);
    return run;
  } finally {
    await client.close();
    await rm(workspace, { recursive: true, force: true });
  }
}

/** `textbox "Edit"` as a selector. */
function selectorOfLine(line: string): string {
  const [, role = '', named = ''] = /^(?:- )?(\w+)(?: "(.*)")?/.exec(line) ?? [];
  return `role=${role}${named === '' ? '' : `[name="${named}"]`}`;
}

/** A locator expression as a selector; this server takes no locators. */
function selectorOf(target: string): string {
  return target
    .replace(
      /getByRole\('(\w+)'(?:, \{ name: '([^']*)'(, exact: true)? \})?\)/g,
      (_, role: string, named = '') =>
        named === '' ? `role=${role}` : `role=${role}[name="${String(named)}"]`,
    )
    .replace(/\.filter\(\{ hasText: '([^']*)' \}\)/g, ' >> internal:has-text="$1"i')
    .replace(/getByText\('([^']*)'\)/g, 'text=$1')
    .replace(/getByPlaceholder\('([^']*)'\)/g, '[placeholder="$1"]')
    .replace(/\.(?=role=|text=|\[)/g, ' >> ');
}

/** The calls for an action; none for an assertion. */
function callsOf({ action, target = '', to, ...fields }: FlowAction): Call[] {
  const selector = selectorOf(target);
  switch (action) {
    case 'click':
    case 'check':
      return [['playwright_click', { selector }]];
    case 'dblclick': {
      // There is no tool for it.
      const text = JSON.stringify(selector.replace('text=', ''));
      const script = `[...document.querySelectorAll('*')].find((each) => each.children.length === 0 && each.textContent === ${text}).dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`;
      return [['playwright_evaluate', { script }]];
    }
    case 'fill':
      return [['playwright_fill', { selector, value: fields['value'] }]];
    case 'press':
      return [['playwright_press_key', { key: fields['key'], ...(target && { selector }) }]];
    case 'selectOption':
      return [['playwright_select', { selector, value: fields['values'] }]];
    case 'dragTo':
      return [['playwright_drag', { sourceSelector: selector, targetSelector: selectorOf(String(to)) }]];
    default:
      return [];
  }
}
