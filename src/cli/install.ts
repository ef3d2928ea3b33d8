import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { applyEdits, modify, parse, type ParseError } from 'jsonc-parser';
import { parse as parseToml, stringify as stringifyToml } from 'smol-toml';
import { parseDocument, stringify as stringifyYaml } from 'yaml';
import { z } from 'zod';
import { CodegenError, messageOf } from '../model/errors.js';
import { isInside } from '../model/paths.js';
import { errorCode, readWhole, replaceFile } from '../state/files.js';
import { confirms, type Print, type Terminal } from './terminal.js';
import {
  clients,
  serverName,
  snippet,
  startCommand,
  settingsFile,
  type ClientEnvironment,
  type FilePath,
  type McpClient,
  type Scope,
} from './clients.js';

export interface InstallOptions {
  client?: string | undefined;
  skill?: boolean | undefined;
  scope?: Scope | undefined;
  yes?: boolean | undefined;
}

const ownSkill = new URL('../../skills/codegen-session/SKILL.md', import.meta.url);

const tableSchema = z.record(z.string(), z.unknown());

/**
 * Adds this server to an MCP client's settings, or the skill to a directory that agents read: shows the change, asks,
 * and writes. Throws INVALID_INPUT, WRITE_FAILED.
 */
export async function installServer(
  { client: name = '', skill = false, scope, yes = false }: InstallOptions,
  machine: ClientEnvironment,
  terminal: Terminal,
  print: Print,
): Promise<void> {
  const client = clients[name];
  if (client === undefined && (!skill || name !== ''))
    throw new CodegenError('INVALID_INPUT', `There is no client ${JSON.stringify(name)}.`, {
      hint: `Clients: ${Object.keys(clients).join(', ')}.`,
    });
  const isSkill = skill || client === undefined;
  const file = isSkill ? skillFile(name, scope, machine) : settingsFile(fileOf(client, scope), machine);
  // A repository can contain links too.
  if (isInside(machine.project, file) && !isInside(await realPlace(machine.project), await realPlace(file)))
    throw new CodegenError('INVALID_INPUT', `${file} is outside the project, through a symbolic link.`, {
      hint: 'Remove the link, or use --scope user.',
    });
  const before = await textOf(file);
  const after = isSkill ? await readFile(ownSkill, 'utf8') : edited(client, before, file, machine.platform);
  if (after === before) {
    print(`${file} already has this ${isSkill ? 'skill' : 'server'}.`);
    return;
  }
  print(createTwoFilesPatch(file, file, before, after, undefined, undefined, { context: 2 }).trimEnd());
  if (!yes && !(await confirms(terminal, `Write it to ${file}?`))) {
    print(terminal === undefined ? 'Nothing was written. Add --yes to write it.' : 'Nothing was written.');
    return;
  }
  // A client may have written its settings during the question.
  if ((await textOf(file)) !== before)
    throw new CodegenError('WRITE_FAILED', `${file} has changed in the meantime, so it was not written.`, {
      hint: 'Install again.',
    });
  await replaceFile(file, after);
  print(`Wrote ${file}.${isSkill ? '' : ` Restart ${client.title}, or let it reload its MCP servers.`}`);
}

/** The text of a file, empty if there is none. Throws INVALID_INPUT for what would be lost if the file was replaced. */
async function textOf(file: string): Promise<string> {
  try {
    const { data } = await readWhole(await realPlace(file));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw new CodegenError(
      'INVALID_INPUT',
      `${file} can't be read, so it was not changed: ${messageOf(error)}`,
      {
        hint: 'Correct the file, or add the server by hand as the README shows.',
        cause: error,
      },
    );
  }
}

/** The real path of what need not exist. */
async function realPlace(file: string): Promise<string> {
  return realpath(file).catch(async () =>
    path.join(await realPlace(path.dirname(file)), path.basename(file)),
  );
}

/** Claude Code has its own directory of skills; other agents share one. */
function skillFile(client: string, scope: Scope = 'project', { project, home }: ClientEnvironment): string {
  const directory = client === 'claude-code' ? '.claude' : '.agents';
  return path.join(scope === 'project' ? project : home, directory, 'skills', 'codegen-session', 'SKILL.md');
}

function fileOf({ files, title }: McpClient, scope: Scope | undefined): FilePath {
  const file = scope === undefined ? (files.project ?? files.user) : files[scope];
  if (file !== undefined) return file;
  throw new CodegenError('INVALID_INPUT', `${title} has no settings for the scope "${scope}".`, {
    hint: `Use --scope ${Object.keys(files).join(' or ')}.`,
  });
}

function edited(client: McpClient, text: string, file: string, platform: NodeJS.Platform): string {
  const { format, key } = client;
  const added = snippet(client, startCommand(platform));
  const own = tableSchema.parse(added[key])[serverName];
  const known = serversOf(client, text, file)[serverName];
  if (known !== undefined) {
    if (JSON.stringify(known) === JSON.stringify(own)) return text;
    throw new CodegenError('INVALID_INPUT', `${file} already has another server called "${serverName}".`, {
      hint: 'Remove or rename it, then install again.',
    });
  }
  if (format === 'json') {
    const formattingOptions = { insertSpaces: true, tabSize: 2, eol: text.includes('\r\n') ? '\r\n' : '\n' };
    const start = text.trim() === '' ? '{}\n' : text;
    return applyEdits(
      start,
      modify(start, [key, serverName], own, { formattingOptions, getInsertionIndex: () => 0 }),
    );
  }
  const isEmpty = text.trim() === '';
  if (format === 'toml') {
    const section = `[${key}.${serverName}]\n${stringifyToml(tableSchema.parse(own))}`;
    return `${text.trimEnd()}${isEmpty ? '' : '\n\n'}${section.trimEnd()}\n`;
  }
  if (isEmpty) return stringifyYaml(added);
  const document = parseDocument(text);
  document.setIn([key, serverName], document.createNode(own));
  return document.toString();
}

function serversOf({ format, key }: McpClient, text: string, file: string): Record<string, unknown> {
  const unparsed = (why: string): CodegenError =>
    new CodegenError('INVALID_INPUT', `${file} can't be parsed, so it was not changed: ${why}`, {
      hint: 'Correct the file, or add the server by hand as the README shows.',
    });
  if (text.trim() === '') return {};
  let settings: unknown;
  try {
    settings = format === 'json' ? parseJsonc(text) : format === 'toml' ? parseToml(text) : parseYaml(text);
  } catch (error) {
    throw unparsed(messageOf(error).split('\n')[0] ?? '');
  }
  const table = tableSchema.safeParse(settings ?? {});
  const servers = tableSchema.safeParse(table.data?.[key] ?? {});
  if (table.success && servers.success) return servers.data;
  throw unparsed(table.success ? `${key} is not a table of servers.` : 'it is not a table of settings.');
}

function parseJsonc(text: string): unknown {
  const errors: ParseError[] = [];
  const settings: unknown = parse(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) throw new Error(`invalid JSON at character ${error.offset}.`);
  return settings;
}

function parseYaml(text: string): unknown {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw error;
  return document.toJS();
}
