import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { predecessors } from '../docs/coming-from.js';
import { anchorOf, outdatedFiles, withReferences } from '../docs/generate.js';
import { policySchema } from '../src/model/policy.js';
import { inspect } from '../src/model/header.js';
import { expect, test } from './fixtures.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The blocks of one language in a page. */
async function blocks(page: string, language: string): Promise<string[]> {
  const text = (await readFile(path.join(root, page), 'utf8')).replaceAll('\r\n', '\n');
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, name, code = '']) =>
    name === language ? [code] : [],
  );
}

/** Markdown pages, by their paths from the root. */
async function markdownPages(): Promise<Map<string, string>> {
  const names = await Promise.all(
    ['.', 'docs'].map(async (folder) =>
      (await readdir(path.join(root, folder)))
        .filter((name) => name.endsWith('.md'))
        .map((name) => path.posix.join(folder, name)),
    ),
  );
  const pages = names
    .flat()
    .map(async (name) => [name, await readFile(path.join(root, name), 'utf8')] as const);
  return new Map(await Promise.all(pages));
}

test('links between pages lead to files and headings that exist', async () => {
  const pages = await markdownPages();
  const anchors = new Map(
    [...pages].map(([name, text]) => [
      name,
      [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading)),
    ]),
  );
  const links = [...pages].flatMap(([page, text]) =>
    [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, file = '', anchor]) => ({
      page,
      target: file === '' ? page : path.posix.join(path.posix.dirname(page), file),
      anchor,
    })),
  );
  expect(links.length).toBeGreaterThan(100);
  const broken = links.filter(
    ({ target, anchor }) =>
      !existsSync(path.join(root, target)) ||
      (anchor !== undefined && anchors.get(target)?.includes(anchor) !== true),
  );
  expect(broken).toEqual([]);
});

test('the generated pages and manifests match the schemas and definitions; `npm run docs` updates them', async () => {
  expect(await outdatedFiles(false)).toEqual([]);
});

test('each tool of the Playwright MCP that Playwright ships is listed', async () => {
  const core = createRequire(import.meta.url).resolve('playwright-core/package.json');
  const source = await readFile(path.join(path.dirname(core), 'lib', 'coreBundle.js'), 'utf8');
  const there = [...source.matchAll(/name: "(browser_\w+)",\s+title:/g)].map(([, name]) => name);
  expect(there.length).toBeGreaterThan(50);
  const listed = predecessors.flatMap(({ rows }) => rows.flatMap(([tools]) => tools));
  expect(there.filter((name) => name !== undefined && !listed.includes(name))).toEqual([]);
});

/** All tools of each server, as its `src/tools.ts` defines them. */
const otherTools = {
  'mcp-playwright': `start_codegen_session end_codegen_session get_codegen_session clear_codegen_session
    playwright_navigate playwright_screenshot playwright_click playwright_iframe_click playwright_iframe_fill
    playwright_fill playwright_select playwright_hover playwright_upload_file playwright_evaluate
    playwright_console_logs playwright_resize playwright_close playwright_get playwright_post playwright_put
    playwright_patch playwright_delete playwright_expect_response playwright_assert_response
    playwright_custom_user_agent playwright_get_visible_text playwright_get_visible_html playwright_go_back
    playwright_go_forward playwright_drag playwright_press_key playwright_save_as_pdf
    playwright_click_and_switch_tab`,
  'RunAutomation MCP Server': `start_codegen_session end_codegen_session get_codegen_session clear_codegen_session
    playwright_navigate playwright_screenshot playwright_click playwright_iframe_click playwright_iframe_fill
    playwright_fill playwright_select playwright_hover playwright_upload_file playwright_evaluate
    playwright_console_logs playwright_close playwright_get playwright_post playwright_put playwright_patch
    playwright_delete playwright_expect_response playwright_assert_response playwright_custom_user_agent
    playwright_get_visible_text playwright_get_visible_html playwright_go_back playwright_go_forward playwright_drag
    playwright_press_key playwright_save_as_pdf playwright_click_and_switch_tab playwright_download_file
    playwright_copy_to_clipboard playwright_read_clipboard playwright_handle_dialog playwright_expect_dialog
    playwright_drag_to_position playwright_get_element_position playwright_visual_compare playwright_create_baseline
    playwright_batch_visual_compare playwright_run_across_browsers playwright_cross_browser_screenshot
    playwright_emulate_device playwright_list_devices playwright_collect_locators create_browser_session
    list_browser_sessions close_browser_session switch_browser_session get_session_info cleanup_idle_sessions
    playwright_wait_smart playwright_wait_network_idle playwright_wait_element_count playwright_wait_attribute
    playwright_wait_element_hidden playwright_wait_url playwright_check_accessibility playwright_get_aria_snapshot
    playwright_check_contrast playwright_check_keyboard_navigation playwright_start_coverage playwright_get_coverage
    playwright_generate_coverage_report playwright_compare_coverage playwright_run_tests_parallel
    playwright_run_cross_browser playwright_ai_visual_compare playwright_batch_ai_visual_compare
    playwright_get_resource_usage playwright_update_resource_limits playwright_recover_session
    playwright_recover_all_sessions playwright_get_persistence_stats playwright_extract_pdf_text
    playwright_validate_pdf_content playwright_count_pdf_pages playwright_download_and_extract_pdf
    playwright_assert_element_state playwright_assert_element_count playwright_assert_text_content
    playwright_assert_attribute playwright_assert_css_property playwright_assert_request_made
    playwright_start_video_recording playwright_stop_video_recording playwright_add_video_annotation
    playwright_configure_video_settings playwright_get_video_status`,
};

for (const [server, names] of Object.entries(otherTools))
  test(`the page on coming from ${server} lists each of its tools once, and nothing else`, () => {
    const rows = predecessors.find(({ name }) => name === server)?.rows ?? [];
    const listed = rows.flatMap(([tools]) => tools);
    expect(listed.sort()).toEqual(names.split(/\s+/).sort());
  });

test('references to actions, matchers, options and tools become links, and unknown ones are errors', () => {
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
    expect(() => withReferences(reference)).toThrow('does not exist');
});

test('the test in the README is the emitted text, unchanged', async () => {
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

test('the page on templates shows the types of the code', async () => {
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
