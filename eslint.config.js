import js from '@eslint/js';
import playwright from 'eslint-plugin-playwright';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What each room may import, besides itself and src/model; anything else points up the house. */
const rooms = {
  model: [],
  network: [],
  config: ['network'],
  state: [],
  browser: ['network'],
  // Until the code model.
  codegen: ['actions'],
  guard: ['state'],
  verify: ['state'],
  actions: ['browser', 'codegen'],
  session: ['actions', 'browser', 'network', 'state'],
  tools: ['session', 'codegen', 'guard', 'verify', 'browser', 'actions', 'network', 'config'],
};
const names = Object.keys(rooms);

export default defineConfig(
  { ignores: ['dist', 'schema', 'test-results', 'bench-results', 'playwright-report', '.codegen'] },
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
  ...names.map((name) => ({
    files: [`src/${name}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                ...names
                  .filter((other) => other !== name && other !== 'model' && !rooms[name].includes(other))
                  .map((other) => `../${other}/*`),
                '../cli.js',
                '../server.js',
              ],
              message: `src/${name} may import only: ${['model', ...rooms[name]].join(', ')}.`,
            },
          ],
        },
      ],
    },
  })),
  { ...playwright.configs['flat/recommended'], files: ['generated-tests/**'] },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
