/**
 * What other servers' tools are here. In the texts, `{action:click}`, `{matcher:toHaveText}`, `{use:locale}`,
 * `{tool:get_codegen_session}` and `{argument:get_codegen_session.include}` name what there is; a name that there is not
 * is an error when the page is made.
 */
export interface Predecessor {
  name: string;
  /** Where its tools are described, if they are in public. */
  source?: string;
  rows: Row[];
}

/** Tools that one thing answers to, and what that is; what is left to other tools says so, and why. */
export type Row = [tools: string[], here: string];

const named = (prefix: string, ...names: string[]): string[] => names.map((name) => prefix + name);
const playwright = (...names: string[]): string[] => named('playwright_', ...names);
const browser = (...names: string[]): string[] => named('browser_', ...names);

const session: Row[] = [
  [
    ['start_codegen_session'],
    '{tool:start_codegen_session}, with the same `options`; a session has a browser of its own',
  ],
  [
    ['get_codegen_session'],
    '{tool:get_codegen_session}; `include` asks for steps, code, snapshot, screenshot, console, network',
  ],
  [['end_codegen_session'], '{tool:end_codegen_session}; the test is run before it is written'],
  [['clear_codegen_session'], '{tool:clear_codegen_session}'],
];

const shared: Row[] = [
  [
    playwright('navigate'),
    '{action:goto}; size and browser are {use:viewport}, {use:browserName}, {use:headless}',
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
  [playwright('upload_file'), '{action:setInputFiles}'],
  [
    playwright('click_and_switch_tab'),
    '{action:click}, then {action:switchPage} to the page that `pages` shows',
  ],
  [playwright('evaluate'), '{action:evaluate}, which a policy has to allow'],
  [
    playwright('console_logs'),
    '{tool:get_codegen_session} with `include: ["console"]`; errors are in every result',
  ],
  [playwright('screenshot'), '{action:screenshot}; to look at the page: `include: ["screenshot"]`'],
  [playwright('save_as_pdf'), '{action:pdf}'],
  [
    playwright('get', 'post', 'put', 'patch', 'delete'),
    '{action:request}, with what is expected of the answer',
  ],
  [
    playwright('expect_response', 'assert_response'),
    '{action:waitForResponse} before the action that causes it',
  ],
  [playwright('custom_user_agent'), '{use:userAgent}, or {use:device}'],
  [
    playwright('get_visible_text', 'get_visible_html'),
    'the snapshot in every result, or `include: ["snapshot"]` with a `target`; markup is not given, since refs and locators need none',
  ],
];

export const predecessors: Predecessor[] = [
  {
    name: 'mcp-playwright',
    source: 'https://github.com/executeautomation/mcp-playwright',
    rows: [
      ...session,
      ...shared,
      [playwright('resize'), '{action:setViewportSize}; for the whole test: {use:viewport}'],
      [
        playwright('close'),
        '{tool:end_codegen_session} or {tool:clear_codegen_session}; one page: {action:closePage}',
      ],
    ],
  },
  {
    name: 'RunAutomation MCP Server, which has the same and',
    rows: [
      [
        playwright('drag_to_position'),
        '{action:dragTo} with `position`, or {action:mouse.move}, {action:mouse.down}, {action:mouse.up}',
      ],
      [
        playwright('download_file'),
        '{action:click}; the download is waited for, {action:saveDownload} keeps it',
      ],
      [
        playwright('copy_to_clipboard', 'read_clipboard'),
        '{action:clipboard.writeText}, {action:clipboard.readText}',
      ],
      [
        playwright('handle_dialog', 'expect_dialog'),
        '{action:onDialog} before the action; `message` is asserted',
      ],
      [
        playwright('get_element_position'),
        '{matcher:toBeInViewport}, or {action:evaluate}; a test that rests on coordinates breaks with the next layout',
      ],
      [
        playwright('assert_element_state'),
        '{matcher:toBeVisible}, {matcher:toBeHidden}, {matcher:toBeEnabled}, {matcher:toBeChecked}, {matcher:toBeFocused}',
      ],
      [playwright('assert_element_count'), '{matcher:toHaveCount}'],
      [playwright('assert_text_content'), '{matcher:toHaveText}, {matcher:toContainText}'],
      [playwright('assert_attribute'), '{matcher:toHaveAttribute}'],
      [playwright('assert_css_property'), '{matcher:toHaveCSS}'],
      [playwright('assert_request_made'), '{action:waitForResponse} before the action that makes it'],
      [
        ['smart waiting'],
        'nothing to call: actions and assertions wait; else {action:waitFor}, {action:waitForURL}, {action:waitForResponse}',
      ],
      [['accessibility: axe'], '{matcher:toPassAxe}'],
      [['accessibility: ARIA snapshot'], '{matcher:toMatchAriaSnapshot}'],
      [['accessibility: contrast'], "{matcher:toPassAxe} with axe's rule `color-contrast`"],
      [['accessibility: keyboard'], '{action:press} with {matcher:toBeFocused}'],
      [
        playwright('visual_compare', 'create_baseline', 'batch_visual_compare'),
        '{matcher:toHaveScreenshot}; `npx playwright test --update-snapshots` makes the baselines',
      ],
      [
        playwright('run_across_browsers', 'cross_browser_screenshot'),
        "the `projects` of Playwright Test's configuration; {tool:run_generated_test} runs the tests as it says",
      ],
      [
        playwright('emulate_device', 'list_devices'),
        '{use:device}; a name that is not known is answered with the nearest one',
      ],
      [
        playwright('collect_locators'),
        'nothing to call: each step gets the best locator, and page objects (`template: "pom"`) collect them',
      ],
      [['parallel runs'], "Playwright Test's `workers` and `fullyParallel`; sessions run beside each other"],
      [['video recording'], "Playwright Test's `use.video`: of a run, not of the recording"],
      [
        ['code coverage'],
        'left to tools that know the build, such as `monocart-reporter` in a fixture: coverage is of a whole suite, not of a recording',
      ],
      [['reading PDFs'], 'left to a PDF library in the test: {action:saveDownload} keeps the file'],
    ],
  },
  {
    name: 'Playwright MCP',
    source: 'https://github.com/microsoft/playwright-mcp',
    rows: [
      [browser('navigate'), '{action:goto}'],
      [
        browser('navigate_back', 'navigate_forward', 'reload'),
        '{action:goBack}, {action:goForward}, {action:reload}',
      ],
      [
        browser('snapshot', 'find'),
        'the snapshot in every result, or {tool:get_codegen_session} with a `target`; refs are the same',
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
        '{action:press} with a combination such as `Shift+ArrowDown`; keys are not held over several steps',
      ],
      [
        browser('check', 'uncheck', 'select_option'),
        '{action:check}, {action:uncheck}, {action:selectOption}',
      ],
      [browser('file_upload'), '{action:setInputFiles}'],
      [
        browser('drop'),
        '{action:setInputFiles} where there is an input; data dropped from outside the page has no action',
      ],
      [browser('handle_dialog'), '{action:onDialog}, before the action that opens the dialog'],
      [browser('tabs', 'close'), '{action:newPage}, {action:switchPage}, {action:closePage}'],
      [browser('resize', 'emulate_media'), '{action:setViewportSize}, {action:emulateMedia}'],
      [
        browser('wait_for'),
        'nothing to call: assertions wait; else {action:waitFor}. Fixed times are not recorded',
      ],
      [browser('verify_element_visible'), '{matcher:toBeVisible}; with the role alone: {matcher:toHaveRole}'],
      [browser('verify_text_visible'), '{matcher:toBeVisible} of `getByText(…)`, or {matcher:toContainText}'],
      [
        browser('verify_list_visible'),
        '{matcher:toHaveText} or {matcher:toContainText} with a list, or {matcher:toMatchAriaSnapshot}',
      ],
      [browser('verify_value'), '{matcher:toHaveValue}, {matcher:toBeChecked}'],
      [
        browser('generate_locator'),
        'nothing to call: each step and each `expect` of a ref gets the best locator',
      ],
      [
        browser('mouse_click_xy', 'mouse_move_xy', 'mouse_down', 'mouse_up', 'mouse_wheel', 'mouse_drag_xy'),
        '{action:mouse.click}, {action:mouse.move}, {action:mouse.down}, {action:mouse.up}, {action:mouse.wheel}',
      ],
      [browser('evaluate'), '{action:evaluate}, which a policy has to allow'],
      [browser('run_code_unsafe'), 'left to the test itself: code of an agent is not run in the server'],
      [browser('take_screenshot', 'pdf_save'), '{action:screenshot}, {action:pdf}'],
      [
        browser('console_messages', 'network_requests', 'network_request'),
        '{tool:get_codegen_session} with `include: ["console", "network"]`',
      ],
      [browser('console_clear', 'network_clear'), 'nothing to call: the latest 200 are kept'],
      [browser('route', 'unroute', 'route_list'), '{action:route}, {action:unroute}'],
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
        'a test asserts what the page shows of it; to look: {action:evaluate} with `"record": false`',
      ],
      [
        browser('localstorage_delete', 'localstorage_clear', 'sessionstorage_delete', 'sessionstorage_clear'),
        'nothing to call: each test starts with an empty storage',
      ],
      [
        browser('storage_state', 'set_storage_state'),
        '{use:storageState}; a set-up project of Playwright Test makes the file',
      ],
      [
        browser('start_recording', 'stop_recording'),
        'left to `npx playwright codegen`: there a person records, here the agent does',
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
        "Playwright Test's `use.trace` and `use.video`, of a run; {action:step} titles appear in traces",
      ],
      [
        browser('highlight', 'hide_highlight', 'annotate', 'resume'),
        "left to Playwright's inspector and UI mode: they are for a person who watches",
      ],
      [
        browser('webmcp_list', 'webmcp_call'),
        'left to agents: a test of a page goes through what its users see',
      ],
      [browser('get_config'), 'left out: `codegen-session-mcp doctor` says what is configured'],
    ],
  },
];
