import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ReportView } from '../shapes.js';
import { get } from './api.js';
import { Act } from './parts.js';

/** The report of the verification with which a session ended. Its frame may neither run scripts nor load anything. */
export function ReportFrame({ session }: { session: string }): JSX.Element {
  const shown = useSignal<ReportView | undefined>(undefined);
  if (shown.value === undefined)
    return (
      <Act
        label="Show the report"
        needs="viewer"
        work={async () => (shown.value = await get<ReportView>(`sessions/${session}/report`))}
      />
    );
  return <iframe class="report" title="Report of the verification" sandbox="" srcdoc={shown.value.html} />;
}
