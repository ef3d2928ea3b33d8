import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Failure, LivePicture, SessionDetail } from '../shapes.js';
import { failureToShow, person, post } from './api.js';
import { Act, Decline, Problem, TextInput } from './parts.js';
import { ElementPanel } from './pointed-element.js';
import { Remote, type Mode, type Point } from './remote.js';

const modes: [mode: Mode, label: string, hint: string][] = [
  ['control', 'Control', 'Mouse, keyboard and paste go to the page. Nothing is recorded.'],
  ['record', 'Record', 'Clicks, drags, keys and what you type become steps of the test.'],
  ['pick', 'Pick', 'Click an element to see its locator.'],
  ['assert', 'Assert', 'Click an element to assert what it shows.'],
];

/** The live page of a session, which a person can take over. */
export function LiveView({
  picture,
  session,
}: {
  picture: LivePicture | undefined;
  session: SessionDetail;
}): JSX.Element {
  const { id, title } = session;
  const failure = useSignal<Failure | undefined>(undefined);
  const remote = useMemo(
    () => new Remote(id, (error) => (failure.value = error === undefined ? undefined : failureToShow(error))),
    [id],
  );
  const isMine = session.person !== undefined && session.person === person.value?.name;
  return (
    <section aria-label="Live page" class="live">
      {isMine ? (
        <Toolbar session={session} remote={remote} />
      ) : session.person === undefined ? (
        <TakeOver session={session} />
      ) : (
        <p role="status">{session.person} has taken over this session.</p>
      )}
      <Problem failure={failure.value} />
      {isMine && <ElementPanel remote={remote} session={session} />}
      {picture === undefined ? (
        <p class="quiet">Waiting for a picture of the page…</p>
      ) : isMine ? (
        <Surface picture={picture} title={title} remote={remote} />
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
  session: { id, pages, asksForFile, openDialog },
  remote,
}: {
  session: SessionDetail;
  remote: Remote;
}): JSX.Element {
  const url = useSignal('');
  const { mode } = remote;
  return (
    <>
      <div class="actions" role="group" aria-label="Take over">
        {modes.map(([key, label]) => (
          <button
            key={key}
            type="button"
            aria-pressed={mode.value === key}
            onClick={() => {
              mode.value = key;
              remote.pointed.value = undefined;
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
      <p class="quiet">{modes.find(([key]) => key === mode.value)?.[2]} Shift+Escape leaves the picture.</p>
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
          <button type="button" onClick={() => void remote.record({ action: 'undo' })}>
            Undo the last step
          </button>
        </div>
      )}
      {openDialog !== undefined && <Dialog key={openDialog.message} id={id} dialog={openDialog} />}
      {mode.value === 'control' && asksForFile && <FileRequest remote={remote} />}
    </>
  );
}

/** Answers the dialog that the page has opened. */
function Dialog({
  id,
  dialog: { type, message, defaultValue },
}: {
  id: string;
  dialog: NonNullable<SessionDetail['openDialog']>;
}): JSX.Element {
  const text = useSignal(defaultValue);
  const isPrompt = type === 'prompt';
  const answer = (accept: boolean) => () =>
    post(`sessions/${id}/dialog`, { accept, ...(accept && isPrompt && { promptText: text.value }) });
  return (
    <div class="actions asks" role="group" aria-label="Open dialog">
      <p role="status">
        The page has opened a dialog ({type}){message !== '' && `: ${message}`}
      </p>
      {isPrompt && <TextInput label="Answer" text={text} />}
      <Act label="Accept" needs="operator" kind="main" work={answer(true)} />
      <Act label="Dismiss" needs="operator" work={answer(false)} />
    </div>
  );
}

/** Names the file for a file chooser that the page has opened while nothing is recorded. */
function FileRequest({ remote }: { remote: Remote }): JSX.Element {
  const file = useSignal('');
  return (
    <form
      class="actions asks"
      onSubmit={(event) => {
        event.preventDefault();
        void remote.chooseFile(file.value);
      }}
    >
      <TextInput label="The page asks for a file, relative to the workspace" text={file} required />
      <button type="submit">Choose</button>
    </form>
  );
}

/** Sends mouse, keyboard and paste to the page. */
function Surface({
  picture,
  title,
  remote,
}: {
  picture: LivePicture;
  title: string;
  remote: Remote;
}): JSX.Element {
  const pointOf = ({ clientX, clientY, currentTarget }: MouseEvent & { currentTarget: Element }): Point => {
    const { left, top, width, height } = currentTarget.getBoundingClientRect();
    return {
      x: Math.round(((clientX - left) / width) * picture.width),
      y: Math.round(((clientY - top) / height) * picture.height),
    };
  };
  return (
    <div
      class="surface"
      role="application"
      tabIndex={0}
      aria-label={`The live page of ${title}: mouse and keyboard go to it`}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.focus({ preventScroll: true });
        event.currentTarget.setPointerCapture(event.pointerId);
        remote.press(pointOf(event), event);
      }}
      onPointerMove={(event) => {
        remote.move(pointOf(event));
      }}
      onPointerUp={(event) => {
        remote.lift(pointOf(event), event);
      }}
      onContextMenu={(event) => {
        event.preventDefault();
      }}
      onWheel={(event) => {
        event.preventDefault();
        remote.scroll(pointOf(event), event);
      }}
      onKeyDown={(event) => {
        if (event.shiftKey && event.key === 'Escape') event.currentTarget.blur();
        // Lets the browser paste.
        else if (!((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'v'))
          remote.keyDown(event);
      }}
      onKeyUp={(event) => {
        remote.keyUp(event);
      }}
      onPaste={(event) => {
        event.preventDefault();
        remote.paste(event.clipboardData?.getData('text/plain') ?? '');
      }}
    >
      <Image picture={picture} title={title} />
    </div>
  );
}
