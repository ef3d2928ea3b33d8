import { signal } from '@preact/signals';
import { render, type JSX } from 'preact';
import type { Person } from '../shapes.js';
import { ActivityList } from './activity.js';
import { failureToShow, get, logIn, logOut, person } from './api.js';
import { ApprovalList } from './approvals.js';
import { LogIn, loginFailure } from './log-in.js';
import { PolicyReport } from './policy.js';
import { SessionDetails } from './session.js';
import { SessionList } from './sessions.js';
import { TestList } from './tests.js';

const views = {
  sessions: ['Sessions', SessionList],
  approvals: ['Approvals', ApprovalList],
  tests: ['Tests', TestList],
  activity: ['Activity', ActivityList],
  policy: ['Policy', PolicyReport],
} as const;

/** The parts of the address after `#/`. */
const route = signal(readRoute());

function readRoute(): string[] {
  return location.hash.replace(/^#\//, '').split('/').map(decodeURIComponent);
}

addEventListener('hashchange', () => {
  route.value = readRoute();
  void enter();
});

/** Uses the key of a link, which then leaves the address and the history. */
async function enter(): Promise<void> {
  const [first, link] = readRoute();
  if (first === 'enter' && link !== undefined) {
    history.replaceState(null, '', '#/sessions');
    route.value = readRoute();
    await logIn({ link }).catch((error: unknown) => {
      person.value = null;
      loginFailure.value = failureToShow(error);
    });
  } else if (person.value === undefined) person.value = await get<Person>('me').catch(() => null);
}

function App(): JSX.Element {
  const [name = '', id] = route.value;
  const [label, List] = Object.entries(views).find(([key]) => key === name)?.[1] ?? views.sessions;
  if (person.value === undefined)
    return (
      <main>
        <p class="quiet">Loading…</p>
      </main>
    );
  if (person.value === null) return <LogIn />;
  return (
    <>
      <a class="skip" href="#main" onClick={focusMain}>
        Skip to the content
      </a>
      <header>
        <nav aria-label="Views">
          {Object.entries(views).map(([key, [text]]) => (
            <a key={key} href={`#/${key}`} aria-current={text === label ? 'page' : undefined}>
              {text}
            </a>
          ))}
        </nav>
        <span class="person">
          {person.value.name} ({person.value.role})
        </span>
        <button type="button" onClick={() => void logOut()}>
          Log out
        </button>
      </header>
      {label === 'Sessions' && id !== undefined ? <SessionDetails key={id} id={id} /> : <List />}
    </>
  );
}

/** The fragment is the address of a view, so the link itself must not change it. */
function focusMain(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#main')?.focus();
}

const root = document.querySelector('#app');
if (root !== null) render(<App />, root);
void enter();
