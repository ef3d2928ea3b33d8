import { html, raw } from 'hono/html';
import { rawText, type PageText } from '../../model/page-text.js';
import type { Secrets } from '../../model/secrets.js';
import { escapeInvisible } from '../../model/text.js';
import type { RunPictures } from '../../verify/run-pictures.js';
import type { Session } from '../session.js';
import { stepCode } from '../step-code.js';
import type { Dropped } from './rehearsal.js';
import type { Verification } from './verify-session.js';

/** Bytes of all pictures together; those after them are left out. */
const maxPictureBytes = 6 * 1024 * 1024;

export interface ReportInput {
  session: Session;
  /** The test's path in the workspace. */
  file: string;
  verification: Verification;
  shown: RunPictures;
  warnings: readonly (string | PageText)[];
}

type Html = ReturnType<typeof html>;
/** A text as it is shown: without secrets and invisible characters. The template escapes it. */
type Shown = (text: string | PageText) => string;

/**
 * What a verification found, as one HTML file without scripts and without links to anything. Every text is escaped:
 * most of them come from pages.
 */
export async function reportHtml(
  secrets: Secrets,
  { session, file, verification, shown, warnings }: ReportInput,
): Promise<Buffer> {
  const text: Shown = (value) => escapeInvisible(secrets.redact(rawText(value)));
  const codes = stepCode(session.steps, file, session.uniques);
  const pictures = new Pictures(shown);
  const dropped = verification.dropped ?? [];
  const steps = codes.map(({ code, assertions }, index) => {
    const note = session.steps[index]?.note;
    const failure = verification.failure?.step === index ? verification.failure : undefined;
    return html`${pictures.before(index)}
      <li class="${failure === undefined ? 'step' : 'step failed'}">
        <h3>Step ${index} ${duration(shown.durations.get(index))}</h3>
        ${note === undefined ? '' : html`<p>${text(note)}</p>`}
        <pre>${text(code)}</pre>
        ${assertions.map((each) => html`<pre class="assertion">${text(each)}</pre>`)}
        ${dropped.filter(({ step }) => step === index).map((each) => droppedLine(each, text))}
        ${
          verification.sensitivity?.unnoticed?.includes(index) === true
            ? html`<p class="bad">The test passes without this step.</p>`
            : ''
        }
        ${failure === undefined ? '' : failureOf(failure, text)}
      </li>`;
  });
  const { failure, status, runs, passed, durationMs } = verification;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="dark light" />
        <title>${text(session.title)}: ${status}</title>
        ${raw(`<style>${reportStyle}</style>`)}
      </head>
      <body>
        <main>
          <h1>${text(session.title)}</h1>
          <p>
            <strong class="${status === 'passed' ? 'good' : 'bad'}">${status}</strong> · ${text(file)} ·
            passed ${passed} of ${counted(runs, 'run')} · ${duration(durationMs)}
          </p>
          ${failure !== undefined && failure.step === undefined ? failureOf(failure, text) : ''}
          <h2>What the test would notice</h2>
          <ul>
            ${sensitivityLines(verification).map((line) => html`<li>${line}</li>`)}
            ${warnings.map((line) => html`<li>${text(line)}</li>`)}
          </ul>
          <h2>Steps</h2>
          <ol>
            ${steps} ${pictures.after()}
          </ol>
          ${
            pictures.leftOut === 0
              ? ''
              : html`<p>${counted(pictures.leftOut, 'picture')} left out, to keep this file small.</p>`
          }
        </main>
      </body>
    </html>`;
  return Buffer.from(String(await page));
}

function droppedLine({ code, reason }: Dropped, text: Shown): Html {
  return html`<pre class="dropped">${text(code)}</pre>
    <p>Not in the test: ${reason}.</p>`;
}

function failureOf(
  { message, hint, snapshot, code }: NonNullable<Verification['failure']>,
  text: Shown,
): Html {
  return html`<section class="failure">
    ${code === undefined ? '' : html`<pre>${text(code)}</pre>`}
    <pre class="bad">${text(message)}</pre>
    <p>${text(hint)}</p>
    ${
      snapshot === undefined
        ? ''
        : html`<details>
            <summary>The page at the failure</summary>
            <pre>${text(snapshot)}</pre>
          </details>`
    }
  </section>`;
}

/** What a verification says about the test, in sentences. */
export function sensitivityLines({ sensitivity }: Pick<Verification, 'sensitivity'>): string[] {
  const { withoutJavaScript, stepsTried, unnoticed = [] } = sensitivity ?? {};
  return [
    ...(withoutJavaScript === undefined
      ? []
      : [
          withoutJavaScript === 'failed'
            ? 'It fails on a page whose JavaScript is disabled, as it should.'
            : 'It passes on a page whose JavaScript is disabled.',
        ]),
    ...(stepsTried === undefined
      ? []
      : [
          `Steps left out in turn: ${stepsTried}. It failed without ${stepsTried - unnoticed.length} of them.`,
        ]),
    ...(sensitivity === undefined ? ['Sensitivity was not measured.'] : []),
  ];
}

/** The pictures in the order of the steps, up to a size. */
class Pictures {
  leftOut = 0;
  private bytes = 0;

  constructor(private readonly shown: RunPictures) {}

  before(step: number): Html | string {
    return this.picture(
      this.shown.before.get(step),
      step === 0 ? 'Before the first step' : `Before step ${step}`,
    );
  }

  after(): Html | string {
    return this.picture(this.shown.end, 'At the end');
  }

  private picture(data: Buffer | undefined, caption: string): Html | string {
    if (data === undefined) return '';
    this.bytes += data.length;
    if (this.bytes > maxPictureBytes) {
      this.leftOut++;
      return '';
    }
    return html`<li class="picture">
      <figure>
        <img
          src="data:image/jpeg;base64,${data.toString('base64')}"
          alt="The page ${caption.toLowerCase()}"
          loading="lazy"
        />
        <figcaption>${caption}</figcaption>
      </figure>
    </li>`;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function duration(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '' : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Its style sheet, by which a page that shows the report allows this one alone. */
export const reportStyle = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; color-scheme: dark light; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
ol { list-style: none; padding: 0; }
li.step { border: 1px solid; border-radius: 6px; padding: 0 1rem; margin: 1rem 0; }
li.failed { border-width: 3px; border-color: light-dark(#b00020, #ff8a80); }
h3 { font-size: 1rem; margin: .5rem 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0; }
.assertion { padding-left: 1.5rem; opacity: .85; }
.dropped { text-decoration: line-through; }
.good { color: light-dark(#006e2c, #7ee2a0); }
.bad { color: light-dark(#b00020, #ff8a80); }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; border: 1px solid #8888; }
figcaption { font-size: .85rem; }
`;
