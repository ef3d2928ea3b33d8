import { isVolatile, stablePart } from '../../src/model/volatile.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const changing = new Rows();
for (const text of [
  'Last saved at 14:05',
  'Due 2026-11-24',
  'Delivered 24.11.2026',
  'November 2026',
  'Nov 24',
  '24 November',
  'On the 2nd of May',
  'Closed until March 3rd',
  '3 minutes ago',
  '2 days left',
  'Found in 12 ms',
  'Took 0.3 seconds',
  'Succeeded in 2.5 s',
  'Built in 1m 20s',
  'Edited just now',
  'Order 8c1f3a52-7d0e-4a3c-9b0a-2f6f1f0c9e11',
  'Invoice 20261124001',
  'Session k3j9f8s7d6',
])
  changing.add(`"${text}" is another one in the next run`, () => {
    expect(isVolatile(text)).toBe(true);
  });
test('texts that are others in the next run', () => changing.check());

const still = new Rows();
for (const text of [
  '3 items left',
  'Total: 35.00 EUR',
  'Showing 1 to 10 of 57 entries',
  'Room 404',
  'May I help you?',
  'March of the penguins',
  'Chapter 12',
  'The 2nd Marathon',
  'IPv4 and IPv6',
  'Version 2.1.0',
  '10:1',
  'Ratio 3/4',
  'Please wait a second time',
  '',
])
  still.add(`"${text}" holds still`, () => {
    expect(isVolatile(text)).toBe(false);
  });
test('texts that hold still', () => still.check());

test('a date is replaced with its ordinal', () => {
  expect(stablePart('1st May 2024 at 9:00am Garden', ['passing'])).toEqual({ regex: '.+ at .+ Garden' });
});

test('the version of a program is replaced as a whole, an address is not', () => {
  expect(stablePart('Petstore v1.10.0-rc.1 OAS 3.0', ['record'])).toEqual({
    regex: 'Petstore [\\w.+-]+ OAS 3\\.0',
  });
  expect(stablePart('Server 127.0.0.1', ['record'])).toBeUndefined();
});

test('the code of a record is replaced as a whole, a word after its label is not', () => {
  expect(stablePart('Booking number 2NGG44', ['record'])).toEqual({ regex: 'Booking number [\\w-]+' });
  expect(stablePart('Reference: GR-123456', ['record'])).toEqual({ regex: 'Reference: [\\w-]+' });
  expect(stablePart('Reference manual', ['record'])).toBeUndefined();
});

test('a hexadecimal id is replaced as a whole, whatever digits it begins with', () => {
  for (const id of ['90312618ff6d87c8', '8a14c988cf3dde80', 'ffffffff00000001'])
    expect(stablePart(`Node ${id}`, ['passing'])).toEqual({ regex: 'Node \\w+' });
});
