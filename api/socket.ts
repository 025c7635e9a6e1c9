/** Where the daemon listens, and its clients look, unless told otherwise. */
export const socketDefault = '/run/weft/weft.sock';
