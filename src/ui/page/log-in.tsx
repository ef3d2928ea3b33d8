import { signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Failure } from '../shapes.js';
import { failureToShow, logIn } from './api.js';
import { Problem } from './parts.js';

export const loginFailure = signal<Failure | undefined>(undefined);

export function LogIn(): JSX.Element {
  const token = useSignal('');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    loginFailure.value = undefined;
    await logIn({ token: token.value }).catch(
      (error: unknown) => (loginFailure.value = failureToShow(error)),
    );
  };
  return (
    <main class="narrow">
      <h1>Codegen sessions</h1>
      <Problem failure={loginFailure.value} />
      <p>
        Open the link that the server printed to its terminal, or log in with an operator’s token. The tokens
        of agents do not work here.
      </p>
      <form class="actions" onSubmit={(event) => void submit(event)}>
        <label>
          Token
          <input
            type="password"
            autocomplete="current-password"
            required
            value={token.value}
            onInput={({ currentTarget }) => (token.value = currentTarget.value)}
          />
        </label>
        <button type="submit" class="main">
          Log in
        </button>
      </form>
    </main>
  );
}
