/**
 * Loaded before all else by child processes of the spec beside (`--import`): a fault in production code that only some
 * lives bring to light. A caller whose request may have been carried out is told that it was not.
 */
import { Controller } from '../../../core/controller/controller.ts';
import { isWeftError, WeftError } from '../../../core/errors.ts';

const { createNetwork } = Controller.prototype;

Controller.prototype.createNetwork = async function (request, context) {
  try {
    return await createNetwork.call(this, request, context);
  } catch (error) {
    if (!isWeftError(error, 'outcome-unknown')) throw error;
    throw new WeftError('store-unreachable', 'The network was not made: the store cannot be reached');
  }
};
