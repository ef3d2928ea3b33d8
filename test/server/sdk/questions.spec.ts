import { Questions } from '../../../src/server/sdk/questions.js';
import { expect, test } from '../../fixtures.js';

const accepted = { action: 'accept', content: { approve: true } };
const approved = { approved: true, reason: undefined };

/** Sends a call that asks, and returns what it learns and what the client is asked. */
async function send(
  questions: Questions,
  { call = 'end', asks = ['Write it?'], answers = {} }: { call?: string; asks?: string[]; answers?: object },
): Promise<{ replies: unknown[]; open: { id: string; question: string } | undefined }> {
  const round = questions.round({ name: call, args: { sessionId: 's' }, answers: { ...answers } });
  const replies: unknown[] = [];
  for (const question of asks) {
    replies.push(await round.ask(question));
    if (replies.at(-1) === 'pending') break;
  }
  return { replies, open: round.end(replies.at(-1) === 'pending') };
}

test('an answer counts once, and only for the call and the question it was given for', async () => {
  const questions = new Questions();
  const { replies, open } = await send(questions, {});
  expect(replies).toEqual(['pending']);
  expect(open).toMatchObject({ question: 'Write it?' });
  const answers = { [open?.id ?? '']: accepted };

  expect((await send(questions, { call: 'clear', answers })).replies).toEqual(['pending']);
  expect((await send(questions, { asks: ['Write more?'], answers })).replies).toEqual(['pending']);
  expect((await send(new Questions(), { answers })).replies).toEqual(['pending']);
  expect(await send(questions, { answers })).toEqual({ replies: [approved], open: undefined });
  const again = await send(questions, { answers });
  expect(again.replies).toEqual(['pending']);
  expect(again.open?.id).not.toBe(open?.id);
});

test('a call that is sent without a valid answer is asked the same again', async () => {
  const questions = new Questions();
  const { open } = await send(questions, {});
  const id = open?.id ?? '';
  for (const answer of [undefined, 'yes', { action: 'approve' }, { approved: true }])
    expect((await send(questions, { answers: { [id]: answer } })).open?.id).toBe(id);
  const closed = await send(questions, { answers: { [id]: { action: 'cancel' } } });
  expect(closed).toEqual({ replies: [undefined], open: undefined });
});

test('the answers of a call count until all its questions are answered', async () => {
  const questions = new Questions();
  const asks = ['Write it?', 'Overwrite it?'];
  const first = await send(questions, { asks });
  const second = await send(questions, { asks, answers: { [first.open?.id ?? '']: accepted } });
  expect(second).toMatchObject({ replies: [approved, 'pending'], open: { question: 'Overwrite it?' } });
  const declined = { action: 'decline' };
  const third = await send(questions, { asks, answers: { [second.open?.id ?? '']: declined } });
  expect(third.replies).toEqual([approved, { approved: false, reason: undefined }]);
});

test('the newest hundred questions are kept', async () => {
  const questions = new Questions();
  const { open } = await send(questions, {});
  for (let count = 0; count < 100; count++) await send(questions, { call: `call ${count}` });
  expect((await send(questions, { answers: { [open?.id ?? '']: accepted } })).replies).toEqual(['pending']);
});
