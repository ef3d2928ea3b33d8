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

/**
 * What Playwright asks of a page without a time-out of its own: a script of the page that does not end would hold it up
 * for good. Actions are bounded as a whole, by the session.
 */
const bounded = ['browser', 'locators', 'assertions', 'session'];
const asks =
  'ariaSnapshot|bringToFront|content|count|elementHandles?|evaluate(?:All|Handle)?|frameElement|innerText|inputValue|isVisible|normalize|ownerFrame|screenshot|textContent|title';
const unbounded = {
  selector: `CallExpression[callee.property.name=/^(?:${asks})$/]:not(CallExpression[callee.name=/^(?:within|responseWithin)$/] *)`,
  message: 'A page may never answer: pass the promise to within or responseWithin.',
};

function reachable(names) {
  return new Set(['model', ...names.flatMap((name) => [name, ...reachable(rooms[name])])]);
}

/** Forbids the imports of a room or file, static and dynamic, that the table does not list. */
function fence(files, name, allowed) {
  const may = new Set([...reachable(allowed), name]);
  const others = Object.keys(rooms).filter((room) => !may.has(room));
  const forbidden = `^\\.{1,2}/(?:\\.\\./)*(?:(?:${['none', ...others].join('|')})/|(?:cli|write-schemas)\\.js$)`;
  const message = `${name} may import only: ${[...may].sort().join(', ')}.`;
  return {
    files: [files],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex: forbidden, message }] }],
      'no-restricted-syntax': [
        'error',
        { selector: `ImportExpression > Literal[value=/${forbidden.replaceAll('/', '\\/')}/]`, message },
        ...(bounded.includes(name) ? [unbounded] : []),
      ],
    },
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
    },
  },
  ...Object.entries(rooms).map(([name, allowed]) => fence(`src/${name}/**`, name, allowed)),
  ...Object.entries(entries).map(([name, allowed]) => fence(`src/${name}`, name, allowed)),
  { ...playwright.configs['flat/recommended'], files: ['generated-tests/**'] },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
