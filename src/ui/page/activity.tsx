import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ActivityLine, ChainState } from '../shapes.js';
import { get } from './api.js';
import { Act, Choice, TextInput, Time, View } from './parts.js';

/** Lines that are shown at once. */
const maxShown = 200;

const all = '(all)';

const fieldNames = ['grant', 'tool', 'decision', 'session'] as const;

type Field = (typeof fieldNames)[number];

const labels: Record<Field, string> = {
  grant: 'Grant',
  tool: 'Tool',
  decision: 'Decision',
  session: 'Session',
};

/** Ages of lines in milliseconds. */
const ages: Record<string, number> = {
  [all]: Infinity,
  'last 10 minutes': 600_000,
  'last hour': 3_600_000,
  'last 24 hours': 86_400_000,
};

export function ActivityList(): JSX.Element {
  const filter = useSignal('');
  const onlyDryRuns = useSignal(false);
  const chain = useSignal<ChainState | undefined>(undefined);
  const chosen = {
    grant: useSignal(all),
    tool: useSignal(all),
    decision: useSignal(all),
    session: useSignal(all),
    time: useSignal(all),
  };
  const words = filter.value.toLowerCase().split(/\s+/);
  const matches = (line: ActivityLine): boolean => {
    const shownTime = new Date(line.time).toLocaleString();
    const text = `${Object.values(line).join(' ')} ${shownTime}`.toLowerCase();
    return (
      words.every((word) => text.includes(word)) &&
      fieldNames.every((name) => chosen[name].value === all || chosen[name].value === line[name]) &&
      Date.now() - Date.parse(line.time) <= (ages[chosen.time.value] ?? Infinity) &&
      (!onlyDryRuns.value || line.dryRun !== '')
    );
  };
  return (
    <View path="activity" title="Activity">
      {(lines: ActivityLine[]) => (
        <>
          <div class="actions">
            {fieldNames.map((name) => (
              <Choice
                key={name}
                label={labels[name]}
                value={chosen[name]}
                options={[all, ...valuesOf(lines, name, chosen[name].value)]}
              />
            ))}
            <Choice label="Time" value={chosen.time} options={Object.keys(ages)} />
            <TextInput label="Filter by words" text={filter} />
            <label>
              <input
                type="checkbox"
                checked={onlyDryRuns.value}
                onChange={({ currentTarget }) => (onlyDryRuns.value = currentTarget.checked)}
              />{' '}
              Only decisions of dry runs
            </label>
            <Act
              label="Verify the chain"
              needs="viewer"
              work={async () => (chain.value = await get<ChainState>('activity/chain'))}
            />
          </div>
          <div role="status">{chain.value !== undefined && <Chain state={chain.value} />}</div>
          <Lines lines={lines.filter(matches)} />
        </>
      )}
    </View>
  );
}

/** The values that a field has in the log, and the chosen one, which may be in none of its latest lines. */
function valuesOf(lines: readonly ActivityLine[], field: Field, chosen: string): string[] {
  const values = new Set([chosen, ...lines.map((line) => line[field])]);
  return [...values].filter((value) => value !== '' && value !== all).sort();
}

function Chain({ state: { lines, findings } }: { state: ChainState }): JSX.Element {
  if (findings.length === 0) return <p>The chain is intact: {lines} lines, none altered.</p>;
  return (
    <ul class="problem">
      {findings.map((finding) => (
        <li key={finding}>{finding}</li>
      ))}
    </ul>
  );
}

function Lines({ lines }: { lines: ActivityLine[] }): JSX.Element {
  if (lines.length === 0) return <p class="quiet">No lines match.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Lines of the log">
      <table>
        <thead>
          <tr>
            {['Time', 'Grant', 'What', 'Decision', 'Session', 'Details'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.slice(0, maxShown).map((line, index) => (
            <tr key={index}>
              <td>
                <Time at={line.time} />
              </td>
              <td>{line.grant}</td>
              <td>{line.tool || line.event}</td>
              <td>
                {line.decision} {line.rule !== '' && line.dryRun === '' && `by ${line.rule}`}
                {line.dryRun !== '' && <p class="dry-run">Dry run: {line.dryRun}</p>}
              </td>
              <td class="id" title={line.session}>
                {line.session}
              </td>
              <td>
                {line.error !== '' && <strong>{line.error} </strong>}
                {line.details}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {lines.length > maxShown && (
        <p class="quiet">
          {lines.length - maxShown} older lines match. <code>codegen-session-mcp audit</code> prints all.
        </p>
      )}
    </div>
  );
}
