import { z } from 'zod';
import { parsePage } from '../../src/codegen/page-object.js';
import { findTemplate } from '../../src/codegen/templates.js';
import { browserNameSchema, useSchema } from '../../src/model/use.js';
import { savedSchema } from '../../src/session/saved.js';
import { sessionSource, type SourcePage } from '../../src/session/test-source.js';

/** The form of the files in `sessions/`. */
export const groupSchema = z.strictObject({
  /** How each session is emitted, e.g. `typescript plain`. */
  emissions: z.array(
    z.templateLiteral([z.enum(['typescript', 'javascript']), ' ', z.enum(['plain', 'pom'])]),
  ),
  sessions: z.array(
    z.strictObject({
      /** Unique in the corpus. */
      name: z.string(),
      /** Title of the test; `name` by default. */
      title: z.string().optional(),
      testNamePrefix: z.string().optional(),
      includeComments: z.boolean().optional(),
      use: useSchema.optional(),
      /** The `use` of the user's own Playwright configuration. */
      project: z.record(z.string(), z.json()).optional(),
      browserName: browserNameSchema.optional(),
      /** A test that only verification runs, with the origin of each of its lines. */
      variant: z.strictObject({ soft: z.boolean().optional(), without: z.int().optional() }).optional(),
      /** Adds the origin of each line to the expected text. */
      origins: z.literal(true).optional(),
      /** Earlier session of the group, whose page objects are on the disk. */
      after: z.string().optional(),
      /** A person changed these page objects. */
      edited: z.literal(true).optional(),
      steps: savedSchema.shape.steps,
    }),
  ),
});

export type GoldenGroup = z.infer<typeof groupSchema>;
type GoldenSession = GoldenGroup['sessions'][number];

/** The texts without their first lines, which hold a hash of the rest. */
interface Emitted {
  spec: string;
  pages: SourcePage[];
  origins: string[];
}

/** The text that a group's sessions emit, which the file in `expected/` has to equal. */
export async function emitGroup({ emissions, sessions }: GoldenGroup): Promise<string> {
  const text: string[] = [];
  for (const emission of emissions) {
    const done = new Map<string, Emitted>();
    for (const session of sessions) {
      const emitted = await emit(session, emission, done.get(session.after ?? '')?.pages ?? []);
      done.set(session.name, emitted);
      text.push(`==== ${session.name}: ${emission} ====\n`, emitted.spec);
      for (const page of emitted.pages) text.push(`---- ${page.file} ----\n`, withoutHeader(page));
      if (session.variant !== undefined || session.origins === true)
        text.push('---- origins ----\n', ...emitted.origins);
    }
  }
  return text.join('');
}

/** The only function that knows the API of code generation. */
async function emit(
  {
    name,
    title = name,
    use = {},
    project = {},
    browserName = 'chromium',
    variant,
    ...session
  }: GoldenSession,
  emission: string,
  existing: readonly SourcePage[],
): Promise<Emitted> {
  const [language, template = ''] = emission.split(' ');
  const spec = `generated-tests/golden.spec.${language === 'typescript' ? 'ts' : 'js'}`;
  const pages = existing.map(async (page) => {
    const text = page.content(page.file);
    const parsed = await parsePage(withoutHeader(page));
    const isUntouched = session.edited !== true;
    return [page.file.replace(/^pages\/|\.[jt]s$/g, ''), { page: parsed, isUntouched, text }] as const;
  });
  const source = await sessionSource(
    {
      id: 'golden',
      grant: 'local',
      title,
      file: spec,
      path: spec,
      emission: {
        language: language === 'typescript' ? 'typescript' : 'javascript',
        template,
        includeComments: session.includeComments ?? true,
        testNamePrefix: session.testNamePrefix ?? '',
        outputPath: undefined,
      },
      autoAssert: true,
      resumed: false,
      use,
      steps: session.steps,
      status: 'open',
      lastUrl: '',
    },
    {
      spec,
      template: await findTemplate(template, undefined),
      project,
      browserName: use.browserName ?? browserName,
      pages: new Map(await Promise.all(pages)),
    },
    variant,
  );
  const origins = [...source.origins].map(
    ([line, { step, assertion, within = new Map<number, number>() }]) => {
      const of = assertion === undefined ? '' : `, assertion ${assertion}`;
      const lines = [...within].map(([at, its]) => `; line ${at - 1} of the page object: step ${its}`);
      return `line ${line - 1}: step ${step}${of}${lines.join('')}\n`;
    },
  );
  return { spec: withoutHeader({ file: spec, content: source.content }), pages: source.pages, origins };
}

function withoutHeader({ file, content }: Pick<SourcePage, 'file' | 'content'>): string {
  return content(file).replace(/^.*\n/, '');
}
