import { randomBytes } from 'node:crypto';
import { validMs, type Elicitor, type Reply } from '../../guard/approvals.js';
import { sha256 } from '../../model/text.js';
import { replySchema } from './question.js';

/** The oldest questions are dropped, and asked again if necessary. */
const maxAsked = 100;

interface Asked {
  id: string;
  /** Hash of the call and the question. */
  about: string;
  question: string;
  /** Set if the question is whether the user opens it. */
  url: string | undefined;
  at: number;
  answer?: { reply: Reply };
}

interface Asking {
  name: string;
  args: unknown;
  answers: Record<string, unknown>;
}

export interface Round {
  ask: (question: string, url?: string) => ReturnType<NonNullable<Elicitor['ask']>>;
  /** Ends the call. Returns the question that it failed for, if there is one. */
  end: (isFailed: boolean) => Pick<Asked, 'id' | 'question' | 'url'> | undefined;
}

/**
 * Questions to a client that can't be asked during a call: the result of the call is the question, and the client repeats
 * the call with the answer. An answer counts once, for the same call and question.
 */
export class Questions {
  private readonly asked: Asked[] = [];

  round({ name, args, answers }: Asking): Round {
    const used: Asked[] = [];
    let open: Asked | undefined;
    return {
      ask: (question, url) => {
        const about = sha256(JSON.stringify([name, args, question]));
        const id = randomBytes(8).toString('hex');
        const fresh: Asked = { id, about, question, url, at: performance.now() };
        const known = this.take(about) ?? fresh;
        const given = replySchema.safeParse(answers[known.id]);
        known.answer ??= given.success ? { reply: given.data } : undefined;
        if (known.answer === undefined) {
          open = known;
          return Promise.resolve('pending');
        }
        used.push(known);
        return Promise.resolve(known.answer.reply);
      },
      end: (isFailed) => {
        if (!isFailed || open === undefined) return undefined;
        // The call will need its earlier answers again.
        this.asked.push(...used, open);
        this.asked.splice(0, this.asked.length - maxAsked);
        return open;
      },
    };
  }

  private take(about: string): Asked | undefined {
    const at = this.asked.findIndex((each) => each.about === about && performance.now() - each.at < validMs);
    return at === -1 ? undefined : this.asked.splice(at, 1)[0];
  }
}
