import { get, NATIVE } from "./http";

export interface ServerInfo {
  version: string;
  login: boolean;
  exposed: boolean;
}

export const getServerInfo = () => get<ServerInfo>(`${NATIVE}/server-info`);
