/** Names, ids and counts for the operator, never text from pages. */
export type SpanAttributes = Readonly<Record<string, string | number | undefined>>;

/** Measures `work`. `errorOf` returns the error code of a result that is a failure. */
export type Tracer = <Result>(
  name: string,
  attributes: SpanAttributes,
  work: () => Promise<Result>,
  errorOf?: (result: Result) => string | undefined,
) => Promise<Result>;

let tracer: Tracer = (_name, _attributes, work) => work();

export function setTracer(next: Tracer): void {
  tracer = next;
}

/** Runs work as a span, a child of the current one; without a tracer, just runs it. */
export const span: Tracer = (...args) => tracer(...args);
