/**
 * The number by which the kernel's routes and addresses say who put them there (`proto` of `ip route` and `ip address`,
 * `RTA_PROTOCOL` and `IFA_PROTO`). 87 is free in `linux/rtnetlink.h` and in the `rt_protos` of iproute2 6.1, and above
 * 4, from where the kernel leaves the numbers to user space.
 */
export const weftProtocol = 87;
