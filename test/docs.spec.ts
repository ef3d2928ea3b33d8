import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { parse } from 'yaml';
import { predecessors } from '../docs/coming-from.js';
import { outdatedPages, withReferences } from '../docs/generate.js';
import { policySchema } from '../src/model/policy.js';
import { inspect } from '../src/guard/header.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The blocks of one language in a page. */
async function blocks(page: string, language: string): Promise<string[]> {
  const text = (await readFile(path.join(root, page), 'utf8')).replaceAll('\r\n', '\n');
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, name, code = '']) =>
    name === language ? [code] : [],
  );
}

test('the references say what the schemas say; `npm run docs` brings them up to date', async () => {
  expect(await outdatedPages(false)).toEqual([]);
});

test('each tool of the Playwright MCP that Playwright ships is said to be something here', async () => {
  const core = createRequire(import.meta.url).resolve('playwright-core/package.json');
  const source = await readFile(path.join(path.dirname(core), 'lib', 'coreBundle.js'), 'utf8');
  const there = [...source.matchAll(/name: "(browser_\w+)",\s+title:/g)].map(([, name]) => name);
  expect(there.length).toBeGreaterThan(50);
  const named = predecessors.flatMap(({ rows }) => rows.flatMap(([tools]) => tools));
  expect(there.filter((name) => name !== undefined && !named.includes(name))).toEqual([]);
});

test('each tool of mcp-playwright and of RunAutomation is said to be something here', () => {
  const there = `navigate click iframe_click iframe_fill fill select hover upload_file evaluate console_logs screenshot get
    post put patch delete expect_response assert_response custom_user_agent get_visible_text get_visible_html go_back
    go_forward drag drag_to_position press_key save_as_pdf click_and_switch_tab download_file copy_to_clipboard
    read_clipboard handle_dialog expect_dialog get_element_position visual_compare create_baseline batch_visual_compare
    run_across_browsers cross_browser_screenshot emulate_device list_devices collect_locators assert_element_state
    assert_element_count assert_text_content assert_attribute assert_css_property assert_request_made close resize`;
  const named = predecessors.flatMap(({ rows }) => rows.flatMap(([tools]) => tools));
  const others = [
    ...['start', 'get', 'end', 'clear'].map((verb) => `${verb}_codegen_session`),
    ...['smart waiting', 'parallel runs', 'video recording', 'code coverage', 'reading PDFs'],
    ...['axe', 'ARIA snapshot', 'contrast', 'keyboard'].map((part) => `accessibility: ${part}`),
  ];
  const missing = [...there.split(/\s+/).map((name) => `playwright_${name}`), ...others].filter(
    (name) => !named.includes(name),
  );
  expect(missing).toEqual([]);
});

test('what other servers have is said by names that there are', () => {
  expect(withReferences('{action:click}, {matcher:toHaveText}, {use:locale}')).toBe(
    '[`click`](actions.md#click), [`toHaveText`](actions.md#matchers), [`use.locale`](configuration.md#use)',
  );
  for (const reference of [
    '{action:clik}',
    '{matcher:toBeGreen}',
    '{use:speed}',
    '{tool:browser_click}',
    '{verb:go}',
  ])
    expect(() => withReferences(reference)).toThrow('there is not');
});

test('the test in the README is as it was emitted', async () => {
  const emitted = await blocks('README.md', 'ts');
  expect(emitted.map((code) => inspect('generated-tests/adds-a-task.spec.ts', code))).toEqual(['untouched']);
});

test('the policies in the guard page load', async () => {
  for (const language of ['json', 'yaml']) {
    const documents = (await blocks('docs/guard.md', language)).filter((text) => text.includes('version'));
    expect(documents).toHaveLength(1);
    for (const document of documents)
      expect(policySchema.safeParse(parse(document))).toMatchObject({ success: true });
  }
});

test('the page on templates shows the data as the code has it', async () => {
  const source = await readFile(path.join(root, 'src', 'codegen', 'template-data.ts'), 'utf8');
  const plain = (text: string): string =>
    text
      .replace(/\bexport |\s+/g, ' ')
      .replace(/ +/g, ' ')
      .replaceAll('"', "'")
      .trim();
  const shown = (await blocks('docs/templates.md', 'ts')).slice(2).join('\n');
  expect(plain(shown)).toBe(plain(source));
});
