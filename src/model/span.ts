/** Attributes of a span, for the operator: names, ids and counts, never texts of pages. */
export type SpanAttributes = Readonly<Record<string, string | number | undefined>>;

/** Measures a piece of work. `errorOf` gives the code of a result that is a failure. */
export type Tracer = <Result>(
  name: string,
  attributes: SpanAttributes,
  work: () => Promise<Result>,
  errorOf?: (result: Result) => string | undefined,
) => Promise<Result>;

let tracer: Tracer = (_name, _attributes, work) => work();

/** From now on, spans go to this tracer. */
export function setTracer(next: Tracer): void {
  tracer = next;
}

/** Runs work as a span, a child of the one around it; without a tracer, only runs it. */
export const span: Tracer = (...args) => tracer(...args);
