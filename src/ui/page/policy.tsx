import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { LimitView, PolicyView, PolicyVerdict } from '../shapes.js';
import { ApiError, post } from './api.js';
import { Act, Choice, Time, View } from './parts.js';
import { PolicyEditor } from './policy-editor.js';

export function PolicyReport(): JSX.Element {
  return (
    <View path="policy" title="Policy">
      {(policies: PolicyView[]) => (
        <>
          {policies.map((policy) => (
            <Grant key={policy.grant} policy={policy} />
          ))}
          <TryCall policies={policies} />
        </>
      )}
    </View>
  );
}

function Grant({ policy }: { policy: PolicyView }): JSX.Element {
  const { grant, file, general, tools, limits } = policy;
  return (
    <section aria-labelledby={`grant-${grant}`}>
      <h2 id={`grant-${grant}`}>Grant {grant}</h2>
      {general.map((line) => (
        <p key={line}>{line}</p>
      ))}
      <ul class="cards">
        {tools.map(({ name, risk, summary, rules }) => (
          <li key={name}>
            <h3>
              {name} <span class={`status ${risk}`}>{risk}</span>
            </h3>
            <p>{summary}</p>
            {rules.map((rule) => (
              <p key={rule} class="quiet">
                {rule}
              </p>
            ))}
          </li>
        ))}
      </ul>
      <PolicyEditor grant={grant} file={file} />
      <h3>Limits</h3>
      {limits.length === 0 ? (
        <p class="quiet">No limits, except those of single connections.</p>
      ) : (
        limits.map((limit, index) => <Limit key={index} limit={limit} />)
      )}
    </section>
  );
}

function Limit({ limit: { name, used, max, window, scope, resetsAt } }: { limit: LimitView }): JSX.Element {
  return (
    <p>
      <label>
        <span>
          {name}: {used} of {max} per {window} for {scope}
          {resetsAt !== undefined && (
            <>
              , next one free at <Time at={resetsAt} />
            </>
          )}
        </span>
        <meter min={0} max={max} high={max * 0.8} optimum={0} value={used} />
      </label>
    </p>
  );
}

function TryCall({ policies }: { policies: PolicyView[] }): JSX.Element {
  const [first] = policies;
  const grant = useSignal(first?.grant ?? '');
  const tool = useSignal(first?.tools[0]?.name ?? '');
  const args = useSignal('{}');
  const verdict = useSignal<PolicyVerdict | undefined>(undefined);
  const decide = async (): Promise<void> => {
    verdict.value = undefined;
    let given: unknown;
    try {
      given = JSON.parse(args.value);
    } catch (error) {
      const hint = 'Enter the arguments as JSON.';
      throw new ApiError({ code: 'INVALID_INPUT', message: String(error), hint });
    }
    const call = { grant: grant.value, tool: tool.value, args: given };
    verdict.value = await post<PolicyVerdict>('policy/try', call);
  };
  return (
    <section aria-labelledby="try">
      <h2 id="try">Try a call</h2>
      <p class="quiet">Shows the decision about a call and the rule behind it, without calling anything.</p>
      <div class="actions">
        <Choice label="Grant" value={grant} options={policies.map((policy) => policy.grant)} />
        <Choice label="Tool" value={tool} options={first?.tools.map(({ name }) => name) ?? []} />
        <label>
          Arguments
          <textarea
            rows={3}
            value={args.value}
            onInput={({ currentTarget }) => (args.value = currentTarget.value)}
          />
        </label>
        <Act label="Try" needs="viewer" work={decide} />
      </div>
      <p role="status">
        {verdict.value !== undefined && (
          <>
            <strong>{verdict.value.kind}</strong> by {verdict.value.rule}
            {verdict.value.reason !== undefined && `: ${verdict.value.reason}`}
          </>
        )}
      </p>
    </section>
  );
}
