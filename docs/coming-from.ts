/**
 * The tools of other servers and their equivalents here. In the texts, `{action:click}`, `{matcher:toHaveText}`,
 * `{use:locale}` and `{tool:get_codegen_session}` become links; an unknown name is an error. A text that begins with
 * `Partly:` or `Not covered:` names a limit.
 */
export interface Predecessor {
  name: string;
  source: string;
  rows: Row[];
}

/** Tools that share an equivalent, and that equivalent. */
export type Row = [tools: string[], equivalent: string];

const named = (prefix: string, ...names: string[]): string[] => names.map((name) => prefix + name);
const playwright = (...names: string[]): string[] => named('playwright_', ...names);
const browser = (...names: string[]): string[] => named('browser_', ...names);

/** What mcp-playwright and RunAutomation have in common. */
const shared: Row[] = [
  [
    ['start_codegen_session'],
    '{tool:start_codegen_session}, with the same `options`; each session has its own browser context',
  ],
  [
    ['get_codegen_session'],
    '{tool:get_codegen_session}; `include` adds steps, code, snapshot, screenshot, console, network',
  ],
  [['end_codegen_session'], '{tool:end_codegen_session}; the test is run before it is written'],
  [['clear_codegen_session'], '{tool:clear_codegen_session}'],
  [
    playwright('navigate'),
    '{action:goto}; the size and the browser are {use:viewport}, {use:browserName}, {use:headless}',
  ],
  [playwright('go_back', 'go_forward'), '{action:goBack}, {action:goForward}'],
  [playwright('click'), '{action:click}; also {action:dblclick}, {action:tap}'],
  [
    playwright('iframe_click', 'iframe_fill'),
    '{action:click}, {action:fill} with a ref from the frame, or a target with `contentFrame()`',
  ],
  [playwright('fill'), '{action:fill}; key by key: {action:pressSequentially}'],
  [playwright('select'), '{action:selectOption}'],
  [playwright('hover'), '{action:hover}'],
  [playwright('drag'), '{action:dragTo}'],
  [playwright('press_key'), '{action:press}, with or without a target'],
  [playwright('upload_file'), '{action:setInputFiles}, with files from the workspace'],
  [
    playwright('click_and_switch_tab'),
    '{action:click}, then {action:switchPage} to the new page that `pages` lists',
  ],
  [playwright('evaluate'), '{action:evaluate}, if the policy allows it'],
  [
    playwright('console_logs'),
    '{tool:get_codegen_session} with `include: ["console"]` shows the latest 200 entries, and `find` filters them; console errors are in every result',
  ],
  [
    playwright('screenshot'),
    '{action:screenshot}, saved in `.codegen/artifacts/`; to look at the page: {tool:get_codegen_session} with `include: ["screenshot"]`',
  ],
  [playwright('save_as_pdf'), 'Partly: {action:pdf}, without options for format and margins'],
  [
    playwright('get', 'post', 'put', 'patch', 'delete'),
    '{action:request}; `expect` asserts the status and the body of the response',
  ],
  [
    playwright('expect_response', 'assert_response'),
    '{action:waitForResponse}, before the action that causes the response',
  ],
  [playwright('custom_user_agent'), '{use:userAgent}, or {use:device}'],
  [
    playwright('get_visible_text', 'get_visible_html'),
    'Partly: the snapshot in every result, or `include: ["snapshot"]` with a `target`, shows the text; no tool returns HTML',
  ],
  [
    playwright('close'),
    '{tool:end_codegen_session} or {tool:clear_codegen_session}; a single page: {action:closePage}',
  ],
];

const runAutomation: Row[] = [
  [
    playwright('drag_to_position'),
    '{action:hover}, {action:mouse.down}, {action:mouse.move}, {action:mouse.up}; onto an element: {action:dragTo} with `position`',
  ],
  [
    playwright('download_file'),
    'Partly: {action:click}, then {action:saveDownload}; the suggested file name is not asserted',
  ],
  [
    playwright('copy_to_clipboard', 'read_clipboard'),
    '{action:clipboard.writeText}, {action:clipboard.readText}',
  ],
  [
    playwright('handle_dialog', 'expect_dialog'),
    '{action:onDialog}, before the action that opens the dialog; `message` is asserted, as a text or a regular expression',
  ],
  [
    playwright('get_element_position'),
    'Partly: {matcher:toBeInViewport}, or {action:evaluate} with `getBoundingClientRect()`; no tool returns coordinates, because tests that use them break with the next layout',
  ],
  [
    playwright('collect_locators'),
    'Partly: page objects (`template: "pom"`) collect the locators that the flow uses, not all of a page',
  ],
  [
    playwright('visual_compare', 'create_baseline', 'batch_visual_compare'),
    '{matcher:toHaveScreenshot}; ending the session creates the baselines, `npx playwright test --update-snapshots` replaces them',
  ],
  [
    playwright('ai_visual_compare', 'batch_ai_visual_compare'),
    'Partly: {matcher:toHaveScreenshot} with `threshold` and `maxDiffPixelRatio`, also of a single element; nothing detects dynamic content',
  ],
  [
    playwright('run_across_browsers', 'cross_browser_screenshot', 'run_cross_browser'),
    "Partly: `projects` in Playwright Test's configuration run a test in several browsers, with one {matcher:toHaveScreenshot} baseline each; {tool:run_generated_test} uses one browser per file",
  ],
  [
    playwright('run_tests_parallel'),
    "Playwright Test's `workers`, `fullyParallel`, `--shard` and `--max-failures`; sessions also record in parallel",
  ],
  [
    playwright('emulate_device'),
    '{use:device}, e.g. `iPhone 13 landscape`; also {use:geolocation}, {use:permissions}, {use:locale}, {use:timezoneId}',
  ],
  [
    playwright('list_devices'),
    "Partly: the names are those of Playwright's `devices`; the error for an unknown one suggests the nearest",
  ],
  [['create_browser_session'], '{tool:start_codegen_session} with `use`; the server chooses the `sessionId`'],
  [['list_browser_sessions'], '{tool:get_codegen_session} without a `sessionId`'],
  [['close_browser_session'], '{tool:end_codegen_session} or {tool:clear_codegen_session}'],
  [['switch_browser_session'], 'Nothing to call: each call names its `sessionId`'],
  [
    ['get_session_info'],
    'Partly: {tool:get_codegen_session} with a `sessionId` shows its status, pages, steps, console and network; no uptime or activity metrics',
  ],
  [
    ['cleanup_idle_sessions'],
    'Nothing to call: idle sessions are closed after `browser.idleTimeoutMs`, 15 minutes by default',
  ],
  [
    playwright('recover_session'),
    '{tool:start_codegen_session} with `resume`, which replays the steps in a new page',
  ],
  [playwright('recover_all_sessions'), 'Partly: `resume` recovers one session per call'],
  [
    playwright('get_persistence_stats'),
    'Not covered: saved sessions are JSON files in `.codegen/sessions/` and `.codegen/unfinished/`',
  ],
  [
    playwright('get_resource_usage'),
    'Partly: over HTTP, `/metrics` reports sessions, browsers, memory and limits; over stdio, {tool:get_codegen_session} lists sessions',
  ],
  [
    playwright('update_resource_limits'),
    'Partly: `browser.maxSessions`, `browser.idleTimeoutMs` and `grants[].maxSessions` in `codegen.config.json`, which is reloaded; agents cannot change limits',
  ],
  [
    playwright('wait_smart'),
    'Nothing to call: actions wait for their element to be visible, stable and enabled; otherwise {action:waitFor} or {matcher:toContainText}',
  ],
  [
    playwright('wait_network_idle'),
    'Partly: {action:goto} with `waitUntil: "networkidle"`, which Playwright discourages in tests; better, wait for one response with {action:waitForResponse}',
  ],
  [
    playwright('wait_element_count'),
    '{matcher:toHaveCount}; for a minimum or maximum, see [At least, at most](assertions.md#at-least-at-most)',
  ],
  [playwright('wait_attribute'), '{matcher:toHaveAttribute}'],
  [playwright('wait_element_hidden'), '{matcher:toBeHidden}'],
  [playwright('wait_url'), '{action:waitForURL}'],
  [
    playwright('check_accessibility'),
    '{matcher:toPassAxe}, if the workspace has `@axe-core/playwright`; `tags` selects rules by WCAG level, such as `wcag2aa`, `rules` by name',
  ],
  [
    playwright('get_aria_snapshot'),
    'The snapshot in every result; to assert it: {matcher:toMatchAriaSnapshot}',
  ],
  [
    playwright('check_contrast'),
    "{matcher:toPassAxe} with axe's rule `color-contrast`, or `color-contrast-enhanced` for AAA",
  ],
  [
    playwright('check_keyboard_navigation'),
    'Partly: {action:press} with `Tab` and {matcher:toBeFocused} test the focus order; nothing lists the focusable elements',
  ],
  [
    playwright('start_coverage', 'get_coverage', 'generate_coverage_report', 'compare_coverage'),
    'Not covered: coverage belongs to a whole suite and needs the build, e.g. `monocart-reporter` in a fixture',
  ],
  [
    playwright('extract_pdf_text', 'validate_pdf_content', 'count_pdf_pages', 'download_and_extract_pdf'),
    'Not covered: {action:saveDownload} saves the PDF; read it with a PDF library in the test',
  ],
  [
    playwright('assert_element_state'),
    '{matcher:toBeVisible}, {matcher:toBeHidden}, {matcher:toBeEnabled}, {matcher:toBeDisabled}, {matcher:toBeEditable}, {matcher:toBeChecked}; `not` for the opposite',
  ],
  [
    playwright('assert_element_count'),
    '{matcher:toHaveCount}; for a minimum or maximum, see [At least, at most](assertions.md#at-least-at-most)',
  ],
  [
    playwright('assert_text_content'),
    '{matcher:toHaveText}, {matcher:toContainText}; a regular expression for the start or the end',
  ],
  [playwright('assert_attribute'), '{matcher:toHaveAttribute}; without `expected`, that it exists'],
  [playwright('assert_css_property'), '{matcher:toHaveCSS}'],
  [
    playwright('assert_request_made'),
    'Partly: {action:waitForResponse} before the action, for requests that get a response',
  ],
  [
    playwright(
      'start_video_recording',
      'stop_video_recording',
      'configure_video_settings',
      'get_video_status',
    ),
    "Partly: Playwright Test's `use.video` records runs of a test, e.g. `retain-on-failure`; the recording session itself is not filmed",
  ],
  [
    playwright('add_video_annotation'),
    'Partly: titles of {action:step} appear in reports and traces, not in videos',
  ],
];

const playwrightMcp: Row[] = [
  [browser('navigate'), '{action:goto}'],
  [
    browser('navigate_back', 'navigate_forward', 'reload'),
    '{action:goBack}, {action:goForward}, {action:reload}',
  ],
  [
    browser('snapshot'),
    'The snapshot in every result, or {tool:get_codegen_session} with a `target`; refs have the same form',
  ],
  [
    browser('find'),
    '{tool:get_codegen_session} with `include: ["snapshot"]` and `find`, a text or a regular expression',
  ],
  [browser('click'), '{action:click}, {action:dblclick}'],
  [browser('hover', 'drag'), '{action:hover}, {action:dragTo}'],
  [
    browser('type', 'press_sequentially', 'fill_form'),
    '{action:fill}, {action:pressSequentially}; many in one call',
  ],
  [browser('press_key'), '{action:press}'],
  [
    browser('keydown', 'keyup'),
    'Partly: {action:press} with a combination such as `Shift+ArrowDown`; no key stays down across steps',
  ],
  [browser('check', 'uncheck', 'select_option'), '{action:check}, {action:uncheck}, {action:selectOption}'],
  [browser('file_upload'), '{action:setInputFiles}'],
  [browser('drop'), '{action:drop}, with files of the workspace or data'],
  [browser('handle_dialog'), '{action:onDialog}, before the action that opens the dialog'],
  [browser('tabs', 'close'), '{action:newPage}, {action:switchPage}, {action:closePage}'],
  [browser('resize', 'emulate_media'), '{action:setViewportSize}, {action:emulateMedia}'],
  [
    browser('wait_for'),
    'Nothing to call: assertions wait; otherwise {action:waitFor}. Fixed delays are not recorded',
  ],
  [browser('verify_element_visible'), '{matcher:toBeVisible}; for the role alone: {matcher:toHaveRole}'],
  [browser('verify_text_visible'), '{matcher:toBeVisible} on `getByText(…)`, or {matcher:toContainText}'],
  [
    browser('verify_list_visible'),
    '{matcher:toHaveText} or {matcher:toContainText} with a list, or {matcher:toMatchAriaSnapshot}',
  ],
  [browser('verify_value'), '{matcher:toHaveValue}, {matcher:toBeChecked}'],
  [
    browser('generate_locator'),
    'Nothing to call: each step, and each `expect` with a ref, gets the best locator',
  ],
  [
    browser('mouse_click_xy', 'mouse_move_xy', 'mouse_down', 'mouse_up', 'mouse_wheel', 'mouse_drag_xy'),
    '{action:mouse.click}, {action:mouse.move}, {action:mouse.down}, {action:mouse.up}, {action:mouse.wheel}',
  ],
  [browser('evaluate'), '{action:evaluate}, if the policy allows it'],
  [browser('run_code_unsafe'), 'Not covered: the server never runs code from an agent in its own process'],
  [browser('take_screenshot', 'pdf_save'), '{action:screenshot}, {action:pdf}'],
  [
    browser('console_messages', 'network_requests'),
    '{tool:get_codegen_session} with `include: ["console", "network"]`',
  ],
  [
    browser('network_request'),
    'Partly: `include: ["network"]` shows the bodies of JSON requests, but no headers and no bodies of responses',
  ],
  [browser('console_clear', 'network_clear'), 'Nothing to call: the latest 200 entries are kept'],
  [
    browser('route', 'unroute', 'route_list'),
    '{action:route}, {action:unroute}; `include: ["steps"]` lists the recorded ones',
  ],
  [browser('network_state_set'), '{action:setOffline}, {use:offline}'],
  [browser('cookie_set', 'cookie_clear', 'cookie_delete'), '{action:addCookies}, {action:clearCookies}'],
  [browser('localstorage_set', 'sessionstorage_set'), '{action:setStorage}'],
  [
    browser(
      'cookie_list',
      'cookie_get',
      'localstorage_list',
      'localstorage_get',
      'sessionstorage_list',
      'sessionstorage_get',
    ),
    'Partly: {action:evaluate} with `"record": false` reads what scripts can read; tests assert what the page shows',
  ],
  [
    browser('localstorage_delete', 'localstorage_clear', 'sessionstorage_delete', 'sessionstorage_clear'),
    'Partly: each test starts with empty storage; within a flow, {action:evaluate}',
  ],
  [
    browser('storage_state', 'set_storage_state'),
    '{action:saveStorageState}; {use:storageState} loads the file',
  ],
  [
    browser('start_recording', 'stop_recording'),
    'Nothing to call: a session always records; to record what a person does, [take over](ui.md#take-over) the session',
  ],
  [
    browser(
      'start_tracing',
      'stop_tracing',
      'start_video',
      'stop_video',
      'video_chapter',
      'video_show_actions',
      'video_hide_actions',
    ),
    "Partly: Playwright Test's `use.trace` and `use.video` record runs of a test; titles of {action:step} appear in traces",
  ],
  [
    browser('highlight', 'hide_highlight', 'annotate', 'resume'),
    'Partly: a person watches and records in [the web UI](ui.md), and an agent asks for one with {action:handOver}; nothing is highlighted',
  ],
  [browser('webmcp_list', 'webmcp_call'), 'Not covered: a test goes through what users of the page see'],
  [browser('get_config'), 'Not covered as a tool: `codegen-session-mcp doctor` checks the configuration'],
];

export const predecessors: Predecessor[] = [
  {
    name: 'mcp-playwright',
    source: 'https://github.com/executeautomation/mcp-playwright',
    rows: [...shared, [playwright('resize'), '{action:setViewportSize}; for the whole test: {use:viewport}']],
  },
  {
    name: 'RunAutomation MCP Server',
    source: 'https://github.com/tayyabakmal1/runautomation-mcpserver',
    rows: [...shared, ...runAutomation],
  },
  {
    name: 'Playwright MCP',
    source: 'https://github.com/microsoft/playwright-mcp',
    rows: playwrightMcp,
  },
];
