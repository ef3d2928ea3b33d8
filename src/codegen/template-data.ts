/** What the template of a spec is given, as `it`. Texts are source code, ready to be printed, unless it says otherwise. */
export interface TemplateData extends FunctionData {
  language: 'typescript' | 'javascript';
  imports: ImportData[];
  /** The argument of `test.use`; undefined if the test needs none. */
  use: string | undefined;
  /** The name of the test function: `test`, or `setup` for a set-up test. */
  test: 'test' | 'setup';
  /** The test's title, as a string or template literal. */
  title: string;
  /** The second argument of `test`, with its tags and annotations; undefined if it has none. */
  details: string | undefined;
  /** Title of the `test.describe` around the test, as a string literal; undefined for none. */
  describe: string | undefined;
  /** Rows of data as a literal: the test is in a loop over them, whose variable is `row`. Undefined for none. */
  rows: string | undefined;
  /** Declarations of variables that the test and its hooks share. */
  variables: string[];
  /** Those that run before and after the test. */
  hooks: HookData[];
  /** Functions that the test calls, to be printed below it. */
  helpers: string[];
}

/** The test function, or that of a hook. */
export interface FunctionData {
  /** Its parameter: the fixtures that its body uses; empty if it uses none. */
  parameters: string;
  /** Page objects to make before anything else, with the code that makes them; empty if the test uses none. */
  pageObjects: { variable: string; className: string; code: string }[];
  groups: GroupData[];
}

export interface HookData extends FunctionData {
  method: 'beforeEach' | 'afterEach';
  /** As a string literal. */
  title: string;
}

export interface ImportData {
  /** The declaration: an `import`, or a `require` in a project of CommonJS. */
  code: string;
  /** The module, as a string literal. */
  from: string;
  /** What takes the default export. */
  default: string | undefined;
  names: string[];
}

export interface GroupData {
  /** Title of the `test.step`, as a string literal; undefined for statements outside of any. */
  title: string | undefined;
  /** What takes the variables that later groups use; undefined if they use none. */
  result: string | undefined;
  /** Statements, with their comments, that belong together; groups are separated by a blank line. */
  paragraphs: string[][];
}

/** What the template of a page object is given, as `it`. */
export interface PageTemplateData {
  language: 'typescript' | 'javascript';
  className: string;
  /** Comment that says which page it is; the next session finds the page by it. */
  comment: string[];
  /** Types to import from `@playwright/test`. */
  types: string[];
  /** Whether it has a field for the page. */
  keepsPage: boolean;
  /** The class that it extends, whose constructor takes the page, and the declaration that imports it; undefined for none. */
  base: { className: string; code: string } | undefined;
  /** Locators; `code` is that of the constructor, in which the page is called `page`. */
  fields: { name: string; code: string }[];
  /** Asynchronous methods. */
  methods: { name: string; parameters: ParameterData[]; statements: string[] }[];
}

export interface ParameterData {
  name: string;
  /** In TypeScript's words, e.g. `string`. */
  type: string;
}
