import { readFile, writeFile } from 'node:fs/promises';
import { loadConfig, loadPolicy, type ConfigLocation } from '../config/load.js';
import { explainActions, explainRules, summaryOf } from '../guard/explain.js';
import { periodOf } from '../guard/limits.js';
import { decide, isEnforced } from '../guard/policy.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { recordTool, restrictedActions } from '../model/policy.js';
import { riskOf, tools } from '../tools/registry.js';
import type { Print } from './terminal.js';

/** Exit status of `policy test`; 1 and 2 are errors. */
const statusOf = { allowed: 0, denied: 3, hidden: 3, approval: 4, limited: 5 };

/** Validates and explains the policy in a file, or the configured one. Throws CONFIG_INVALID. */
export async function checkPolicy(
  location: ConfigLocation,
  file: string | undefined,
  print: Print,
): Promise<void> {
  const policy = file === undefined ? (await loadConfig(location)).policy : await loadPolicy(file);
  const known = tools.map(({ name }) => name);
  const listed = [...policy.tools.keys()];
  if (!policy.enforce) print('Dry run: decisions are logged, not applied. `policy report` counts them.');
  print(`Tools that are not listed are ${policy.default === 'deny' ? 'denied' : 'allowed'}.`);
  for (const line of explainRules(policy.all)) print(`Every tool: ${line}`);
  for (const name of [...known, ...listed.filter((each) => !known.includes(each))]) {
    print('');
    print(`${name}${known.includes(name) ? '' : ' (not a tool of this server)'}: ${summaryOf(policy, name)}`);
    const rules = policy.tools.get(name);
    if (rules !== undefined) for (const line of explainRules(rules)) print(`  ${line}`);
    if (name === recordTool) for (const line of explainActions(rules)) print(`  ${line}`);
  }
}

/** Prints the decision about a call and the rule behind it. Returns the exit status. */
export async function testPolicy(
  location: ConfigLocation,
  tool: string,
  file: string | undefined,
  print: Print,
): Promise<number> {
  const { policy } = await loadConfig(location);
  const verdict = decide(policy, { tool, args: file === undefined ? {} : await readArguments(file) });
  const charges = 'charges' in verdict ? verdict.charges : [];
  const exceeded =
    verdict.kind === 'allowed' ? charges.find(({ limit, count }) => count > limit.max) : undefined;
  const kind = exceeded === undefined ? verdict.kind : 'limited';
  const { rule, reason } = exceeded ?? verdict;
  const dryRun = isEnforced(policy, tool) ? '' : ' (dry run)';
  print(`${kind} by ${rule}${reason === undefined ? '' : `: ${reason}`}${dryRun}`);
  for (const { limit, count, rule } of charges)
    print(
      `counts ${count} toward the limit of ${limit.max} per ${periodOf(limit)}, counted as "${limit.counter}" (${rule})`,
    );
  return statusOf[kind];
}

/** A commented policy that denies by default, lists all tools, and limits those that change something. */
export function scaffold(): string {
  const entries = tools.flatMap(({ name, title, annotations }) => {
    const risk = riskOf({ name, annotations });
    const limit = risk === 'read' ? ' {}' : '\n    rate_limit: { max: 30, window: minute }';
    return [`  # ${title}: ${risk}.`, `  ${name}:${limit}`];
  });
  return [
    '# A policy for codegen-session-mcp. Set `policy` in codegen.config.json to this file;',
    '# `codegen-session-mcp policy check` explains it.',
    'version: "1"',
    '',
    "# A tool that is not listed is denied. Remove the tools that you don't need.",
    'default: deny',
    '',
    '# Tools to hide from clients, e.g. [clear_codegen_session]; * matches any text.',
    'hide: []',
    '',
    'tools:',
    '  # read: changes nothing. write: changes files or pages. execute: runs code of tests.',
    ...entries.flatMap((line) => (line.startsWith('  #') ? ['', line] : [line])),
    '',
    '# More rules for a tool, all optional:',
    '#   require: [{ path: args.file, op: regex, value: "^e2e/" }]   # deny the call unless this is true',
    '#   deny_if: [{ path: args.onConflict, op: eq, value: overwrite, message: "Never overwrite." }]',
    '#   approve_if: [{ path: args.verify, op: eq, value: "off" }]   # a person must approve the call if this is true',
    '#   action: require_approval                                    # a person must approve every call',
    `# Rules for single actions of ${recordTool}. ${restrictedActions.join(', ')} must be allowed by name:`,
    '#   actions: { deny: [request, "clipboard.*"], allow: [evaluate] }',
    '',
  ].join('\n');
}

/** Writes the scaffold to a new file. Throws WRITE_FAILED. */
export async function writeScaffold(file: string): Promise<void> {
  try {
    await writeFile(file, scaffold(), { flag: 'wx' });
  } catch (error) {
    throw new CodegenError('WRITE_FAILED', `${file} could not be written: ${messageOf(error)}`, {
      hint: 'Choose a new file in an existing directory.',
      cause: error,
    });
  }
}

async function readArguments(file: string): Promise<unknown> {
  try {
    const args: unknown = JSON.parse(await readFile(file, 'utf8'));
    return args;
  } catch (error) {
    throw new CodegenError('INVALID_INPUT', `${file}: ${messageOf(error)}`, {
      hint: 'Pass a JSON file with the arguments of the call.',
      cause: error,
    });
  }
}
