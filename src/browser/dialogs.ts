import type { BrowserContext, Dialog } from 'playwright';
import type { LiveLog } from './live-log.js';
import { urlOf } from './origin.js';

interface Reply {
  accept: boolean;
  promptText?: string | undefined;
}

/** How to answer a dialog. */
interface PlannedAnswer extends Reply {
  /** Whether a page of this origin may receive `promptText`; by default any. */
  isFor?: ((origin: string) => boolean) | undefined;
  /** Called with the dialog's message after the answer. */
  answered(message: string): void;
}

/** A dialog that waits for a person. */
export interface OpenDialog {
  type: string;
  message: string;
  /** Initial text of a prompt. */
  defaultValue: string;
  answer(reply: Reply): void;
  /** Resolves when it is answered, or can't be answered any more. */
  closed: Promise<void>;
}

/** Milliseconds for a person to answer a dialog. */
const personMs = 120_000;

/** Answers dialogs, so that none blocks its page. */
export class Dialogs {
  /** Answers to the next dialogs, in order; others are dismissed. */
  readonly answers: PlannedAnswer[] = [];
  /** The dialog that waits for the person who has control. */
  open: OpenDialog | undefined;
  /** What that person has answered. */
  byHand: (Reply & { message: string })[] = [];
  private isAttended = false;

  /** Leaves dialogs that no answer is planned for to a person, until the returned function is called. */
  attend(): () => void {
    this.isAttended = true;
    return () => {
      this.isAttended = false;
      this.open?.answer({ accept: false });
    };
  }

  watch(context: Pick<BrowserContext, 'on'>, log: LiveLog): void {
    context.on('dialog', (dialog) => {
      const type = dialog.type();
      const planned = this.answers.shift();
      const { promptText, isFor } = planned ?? {};
      const page = dialog.page();
      const isAllowed = isFor?.(page === null ? 'null' : urlOf(page).origin) ?? true;
      const accept = isAllowed && (planned?.accept ?? type === 'beforeunload');
      const answer = (reply: Reply): void => {
        const answer = reply.accept ? 'accepted' : 'dismissed';
        log.add({ type: 'dialog', dialog: type, message: log.pageText(dialog.message()), answer });
        const text = type === 'prompt' ? reply.promptText : undefined;
        (reply.accept ? dialog.accept(text) : dialog.dismiss()).catch(() => undefined);
        planned?.answered(dialog.message());
      };
      if (planned === undefined && this.isAttended && this.open === undefined) this.ask(dialog, answer);
      else answer({ accept, promptText });
    });
  }

  private ask(dialog: Dialog, answer: (reply: Reply) => void): void {
    const [type, message, defaultValue] = [dialog.type(), dialog.message(), dialog.defaultValue()];
    let close: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (close = resolve));
    const reply = (given: Reply): void => {
      if (this.open !== opened) return;
      this.open = undefined;
      clearTimeout(timer);
      answer(given);
      close();
    };
    const opened: OpenDialog = {
      ...{ type, message, defaultValue, closed },
      answer: (given) => {
        this.byHand.push({ ...given, message });
        reply(given);
      },
    };
    const giveUp = (): void => {
      reply({ accept: false });
    };
    const timer = setTimeout(giveUp, personMs).unref();
    dialog.page()?.once('close', giveUp);
    this.open = opened;
  }
}
