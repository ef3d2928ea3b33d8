import { identifier, type ElementName } from './identifiers.js';
import type { LocatorChain } from '../model/locator.js';
import type { CodeStep } from '../model/code.js';

/** Words with which the names of buttons begin that say what the flow does. */
const verbs = new Set(
  `accept activate add agree allow answer apply approve archive assign back block book browse buy calculate cancel change
  check checkout choose clear close collapse comment compare complete confirm connect continue copy create deactivate
  decline delete deny disable discard disconnect dismiss download duplicate edit enable enter execute expand export
  filter finish follow generate go hide import insert install invite join leave like load lock log login logout mark
  move next ok open order pause pay pin place play post preview previous print proceed publish purchase refresh register
  reject reload remove rename reply report request resend reset restart restore resume retry return run save schedule
  search select send share show sign signin signup signout skip sort start stop submit subscribe switch sync test toggle
  transfer try turn undo unlock unsubscribe update upgrade upload use verify view`.split(/\s+/),
);

/** Those of them that name the resulting state. */
const switching = new Set('close collapse expand hide open show toggle'.split(' '));

/** Whether a step sets the value of a form field. */
export function enters(step: CodeStep): boolean {
  const { types, toggles } = step.traits;
  return types === true || toggles === true;
}

/** Whether a step sends off what was entered before. */
export function submits(step: CodeStep): boolean {
  const { args, locator = [] } = step;
  const traits = step.traits;
  const {
    method,
    args: [role],
  } = locator.at(-1) ?? { method: '', args: [] };
  if (traits.pressesKey) return args['key'] === 'Enter';
  return traits.submits === true && method === 'getByRole' && role === 'button';
}

/** A method name for a step; `isToggle` if the step can also do the opposite. */
export function methodName(
  step: CodeStep,
  { words: last, kind, context }: ElementName,
  isToggle: boolean,
): string {
  const words = last.length === 0 ? context : last;
  const own = words.length === 0 ? [kind] : words;
  const { verb: given, pressesKey } = step.traits;
  if (given !== undefined || enters(step)) return identifier([given ?? step.action, ...own]);
  if (pressesKey) {
    if (step.args['key'] !== 'Enter') return identifier(['press', keyWord(step), 'in', ...own]);
    return isSearch(step.locator) ? 'search' : identifier(['enter', ...own]);
  }
  const [verb = ''] = words;
  if (verbs.has(verb) && !(isToggle && !switching.has(verb))) return identifier(words);
  if (kind === 'link') return identifier(['open', ...own]);
  if (kind === 'button' && words.length > 0) return identifier([isToggle ? 'toggle' : 'open', ...own]);
  return identifier([kind === 'button' ? 'click' : 'choose', ...words, kind]);
}

/** The verb of entering several things and sending them off. */
export function formName(last: CodeStep, name: ElementName): string {
  const { words, kind } = name;
  const [verb = ''] = words;
  if (last.traits.pressesKey || verbs.has(verb)) return methodName(last, name, false);
  return identifier(['submit', ...(words.length === 0 ? [kind] : words)]);
}

function keyWord({ args: { key } }: CodeStep): string {
  return typeof key === 'string' ? (key.replace(/[^A-Za-z0-9]/g, '') || 'key').toLowerCase() : 'key';
}

/** Whether a locator is that of a field for what is searched for. */
export function isSearch(chain: LocatorChain = []): boolean {
  return /"searchbox"|"search\b/i.test(JSON.stringify(chain.at(-1)));
}
