import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import type { Failure, LivePicture, SessionDetail } from '../shapes.js';
import { failureToShow, person, post } from './api.js';
import { Act, Decline, Problem, TextInput } from './parts.js';
import { ElementPanel, type Mode } from './pointed-element.js';
import { Remote, type Point } from './remote.js';

const modes: Record<Mode, [label: string, hint: string]> = {
  control: ['Control', 'Mouse, keyboard and paste go to the page. Nothing is recorded.'],
  record: ['Record', 'Clicks, drags, keys and what you type become steps of the test.'],
  pick: ['Pick', 'Click an element to see its locator.'],
  assert: ['Assert', 'Click an element to assert what it shows.'],
};

/** The live page of a session, which a person can take over. */
export function LiveView({
  picture,
  session,
}: {
  picture: LivePicture | undefined;
  session: SessionDetail;
}): JSX.Element {
  const { id, title } = session;
  const mode = useSignal<Mode>('control');
  const failure = useSignal<Failure | undefined>(undefined);
  const remote = useMemo(
    () => new Remote(id, (error) => (failure.value = error === undefined ? undefined : failureToShow(error))),
    [id],
  );
  const isMine = session.person !== undefined && session.person === person.value?.name;
  return (
    <section aria-label="Live page" class="live">
      {isMine ? (
        <Toolbar session={session} mode={mode} remote={remote} />
      ) : session.person === undefined ? (
        <TakeOver session={session} />
      ) : (
        <p role="status">{session.person} works in this session by hand.</p>
      )}
      <Problem failure={failure.value} />
      {isMine && <ElementPanel remote={remote} mode={mode.value} session={session} />}
      {picture === undefined ? (
        <p class="quiet">Waiting for a picture of the page…</p>
      ) : isMine ? (
        <Surface picture={picture} title={title} mode={mode.value} remote={remote} />
      ) : (
        <Image picture={picture} title={title} />
      )}
    </section>
  );
}

/** Takes over the session; if its agent asks for a person, says why, and can decline. */
function TakeOver({ session: { id, handOver } }: { session: SessionDetail }): JSX.Element {
  return (
    <div class={handOver === undefined ? '' : 'asks'}>
      {handOver !== undefined && <p role="status">The agent asks for a person: {handOver}</p>}
      <div class="actions">
        <Act label="Take over" needs="operator" kind="main" work={() => post(`sessions/${id}/take`)} />
        {handOver !== undefined && (
          <Decline needs="operator" work={(given) => post(`sessions/${id}/decline`, given)} />
        )}
      </div>
    </div>
  );
}

function Image({ picture, title }: { picture: LivePicture; title: string }): JSX.Element {
  return (
    <img
      src={`data:${picture.type};base64,${picture.data}`}
      width={picture.width}
      height={picture.height}
      alt={`The live page of ${title}`}
      draggable={false}
    />
  );
}

function Toolbar({
  session: { id, pages },
  mode,
  remote,
}: {
  session: SessionDetail;
  mode: { value: Mode };
  remote: Remote;
}): JSX.Element {
  const url = useSignal('');
  const choose = (next: Mode): void => {
    mode.value = next;
    remote.pointed.value = undefined;
  };
  return (
    <>
      <div class="actions" role="group" aria-label="Take over">
        {Object.entries(modes).map(([key, [label]]) => (
          <button
            key={key}
            type="button"
            aria-pressed={mode.value === key}
            onClick={() => {
              choose(isMode(key) ? key : 'control');
            }}
          >
            {label}
          </button>
        ))}
        <Act
          label="Return control"
          needs="operator"
          kind="main"
          work={() => post(`sessions/${id}/release`)}
        />
      </div>
      <p class="quiet">{modes[mode.value][1]} Shift+Escape leaves the picture.</p>
      {mode.value === 'record' && (
        <div class="actions">
          <form
            class="actions"
            onSubmit={(event) => {
              event.preventDefault();
              void remote.record({ action: 'goto', url: url.value });
            }}
          >
            <TextInput label="Address" text={url} required />
            <button type="submit">Go to it</button>
          </form>
          {pages
            .filter(({ isCurrent }) => !isCurrent)
            .map((page) => (
              <button
                key={page.id}
                type="button"
                onClick={() => void remote.record({ action: 'switchPage', page: page.id })}
              >
                Switch to page {page.id}
              </button>
            ))}
          <button type="button" onClick={() => void remote.record({ action: 'onDialog', accept: true })}>
            Accept the next dialog
          </button>
          <button type="button" onClick={() => void remote.record({ action: 'undo' })}>
            Undo the last step
          </button>
        </div>
      )}
    </>
  );
}

function isMode(key: string): key is Mode {
  return key in modes;
}

/** Takes mouse, keyboard and paste for the page. */
function Surface({
  picture,
  title,
  mode,
  remote,
}: {
  picture: LivePicture;
  title: string;
  mode: Mode;
  remote: Remote;
}): JSX.Element {
  const surface = useRef<HTMLDivElement>(null);
  const pointOf = ({ clientX, clientY }: MouseEvent): Point => {
    const { left, top, width, height } = surface.current?.getBoundingClientRect() ?? new DOMRect();
    return {
      x: Math.round(((clientX - left) / width) * picture.width),
      y: Math.round(((clientY - top) / height) * picture.height),
    };
  };
  return (
    <div
      ref={surface}
      class="surface"
      role="application"
      tabIndex={0}
      aria-label={`The live page of ${title}: mouse and keyboard go to it`}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.focus({ preventScroll: true });
        event.currentTarget.setPointerCapture(event.pointerId);
        remote.press(mode, pointOf(event), event.button);
      }}
      onPointerMove={(event) => {
        remote.move(mode, pointOf(event));
      }}
      onPointerUp={(event) => {
        remote.lift(mode, pointOf(event), event);
      }}
      onContextMenu={(event) => {
        event.preventDefault();
      }}
      onWheel={(event) => {
        event.preventDefault();
        remote.scroll(event.deltaX, event.deltaY, pointOf(event));
      }}
      onKeyDown={(event) => {
        if (event.shiftKey && event.key === 'Escape') event.currentTarget.blur();
        else if (!isPaste(event)) remote.keyDown(mode, event);
      }}
      onKeyUp={(event) => {
        remote.keyUp(mode, event);
      }}
      onPaste={(event) => {
        event.preventDefault();
        remote.paste(mode, event.clipboardData?.getData('text/plain') ?? '');
      }}
    >
      <Image picture={picture} title={title} />
    </div>
  );
}

function isPaste({ key, ctrlKey, metaKey }: KeyboardEvent): boolean {
  return (ctrlKey || metaKey) && key.toLowerCase() === 'v';
}
