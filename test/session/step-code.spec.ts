import { stepCode } from '../../src/session/step-code.js';
import { expect, test } from '../fixtures.js';

test('the code of a step declares the data that it uses', () => {
  const order = { petId: 7, quantity: 1, note: "It's for Ann's birthday" };
  const [step] = stepCode(
    [
      {
        action: 'fill',
        locator: [{ method: 'getByLabel', args: ['Order'] }],
        args: { value: JSON.stringify(order) },
      },
    ],
    'orders.spec.ts',
  );
  expect(step?.code).toBe(
    `const orderData = { petId: 7, quantity: 1, note: "It's for Ann's birthday" };
await page.getByLabel("Order").fill(JSON.stringify(orderData));`,
  );
});
