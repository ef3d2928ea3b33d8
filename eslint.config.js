import js from '@eslint/js';
import playwright from 'eslint-plugin-playwright';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * What each room imports directly. It may also import what those rooms import, and `model`; everything else would
 * point up the table in the architecture.
 */
const rooms = {
  model: [],
  network: [],
  config: ['network'],
  state: [],
  guard: ['state'],
  verify: ['state', 'network'],
  codegen: [],
  browser: ['network'],
  locators: ['browser'],
  actions: ['browser'],
  assertions: ['actions', 'locators'],
  session: ['actions', 'assertions', 'codegen', 'verify', 'config'],
  tools: ['session', 'assertions', 'codegen', 'verify', 'guard', 'config'],
  ui: ['tools', 'session', 'guard', 'config'],
  server: ['ui', 'tools', 'guard', 'config'],
  cli: ['server'],
};
/** The files beside the rooms. */
const entries = { 'cli.ts': ['cli', 'server', 'config'], 'write-schemas.ts': ['config', 'tools'] };

/** Rooms that wait for pages. Actions are bounded as a whole, by the session. */
const waiting = ['browser', 'locators', 'assertions', 'session', 'tools', 'ui'];

/** Finds what waits for a page without a time limit: a script of the page that does not end would hold it up for good. */
const boundedPages = {
  meta: { messages: { unbounded: 'A page may never answer: pass the promise to within or responseWithin.' } },
  create(context) {
    const services = context.sourceCode.parserServices;
    const isOfPage = (node) => {
      const symbol = services.getTypeAtLocation(node).getSymbol();
      return (
        /^(?:Page|Frame|Locator|FrameLocator|ElementHandle|JSHandle|Request|Response|Worker)$/.test(
          symbol?.name,
        ) && symbol.declarations.some((each) => /playwright-core\/types/.test(each.getSourceFile().fileName))
      );
    };
    const isBounded = (node) => {
      if (node.type === 'CallExpression' && /^(?:within|responseWithin)$/.test(node.callee.name)) return true;
      if (node.type === 'ExpressionStatement') return true;
      return node.type !== 'AwaitExpression' && node.parent !== null && isBounded(node.parent);
    };
    return {
      CallExpression(node) {
        const { callee } = node;
        if (callee.type !== 'MemberExpression' || !isOfPage(callee.object)) return;
        const returned = services.getTypeAtLocation(node).getSymbol()?.name;
        if (returned === 'Promise' && !isBounded(node)) context.report({ node, messageId: 'unbounded' });
      },
    };
  },
};

const bounded = { rules: { pages: boundedPages } };

function reachable(names) {
  return new Set(['model', ...names.flatMap((name) => [name, ...reachable(rooms[name])])]);
}

/** Only these files know the SDKs of MCP. */
const sdkFiles = 'src/server/sdk/**';

/** Forbids the imports of a room or file, static and dynamic, that the table does not list. */
function fence(files, name, allowed) {
  const may = new Set([...reachable(allowed), name]);
  const others = Object.keys(rooms).filter((room) => !may.has(room));
  const outside = `^\\.{1,2}/(?:\\.\\./)*(?:(?:${['none', ...others].join('|')})/|(?:cli|write-schemas)\\.js$)`;
  const forbidden = files === sdkFiles ? outside : `^@modelcontextprotocol/|${outside}`;
  const message = `${name} may import only: ${[...may].sort().join(', ')}; only ${sdkFiles} imports the SDKs of MCP.`;
  return {
    files: [files],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex: forbidden, message }] }],
      'no-restricted-syntax': [
        'error',
        { selector: `ImportExpression > Literal[value=/${forbidden.replaceAll('/', '\\/')}/]`, message },
      ],
      'bounded/pages': waiting.includes(name) ? 'error' : 'off',
    },
    plugins: { bounded },
  };
}

export default defineConfig(
  {
    ignores: [
      'dist',
      'schema',
      'test-results',
      'bench-results',
      'playwright-report',
      '.codegen',
      'test/fixtures/projects',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Playwright reads a fixture's dependencies from its destructured parameter, which may be empty.
      'no-empty-pattern': ['error', { allowObjectPatternsAsParameters: true }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
    },
  },
  {
    files: ['src/**'],
    rules: {
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', 80],
      'max-params': ['error', 4],
      'no-restricted-properties': [
        'error',
        { object: 'URL', property: 'canParse', message: 'Use parseUrl: in Node.js 20, this is wrong for ü.' },
      ],
    },
  },
  ...Object.entries(rooms).map(([name, allowed]) => fence(`src/${name}/**`, name, allowed)),
  fence(sdkFiles, 'server', rooms.server),
  ...Object.entries(entries).map(([name, allowed]) => fence(`src/${name}`, name, allowed)),
  {
    files: ['test/**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          name: '@playwright/test',
          importNames: ['test'],
          message:
            'Import it from test/fixtures.ts: tests with other worker fixtures get workers of their own.',
        },
      ],
    },
  },
  { ...playwright.configs['flat/recommended'], files: ['generated-tests/**'] },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
