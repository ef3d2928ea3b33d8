import { clearCodegenSession } from './clear-codegen-session.js';
import { endCodegenSession } from './end-codegen-session.js';
import { getCodegenSession } from './get-codegen-session.js';
import { recordCodegenSession } from './record-codegen-session.js';
import { runGeneratedTest } from './run-generated-test.js';
import { startCodegenSession } from './start-codegen-session.js';
import type { Tool } from './tool.js';

/** Every tool, in the order in which they are listed. */
export const tools: readonly Tool[] = [
  startCodegenSession,
  recordCodegenSession,
  getCodegenSession,
  endCodegenSession,
  clearCodegenSession,
  runGeneratedTest,
];

/** What a tool can do at worst: change nothing, change files or pages, or run the code of tests. */
export function riskOf({
  name,
  annotations,
}: Pick<Tool, 'name' | 'annotations'>): 'read' | 'write' | 'execute' {
  if (annotations.readOnlyHint) return 'read';
  return name === runGeneratedTest.name ? 'execute' : 'write';
}
