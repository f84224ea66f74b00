import { useQuery } from "@tanstack/react-query";
import { searchModels } from "../../api/models";
import { t } from "../../i18n";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/router";
import { modelPath } from "../../url/routes";

const SHOWN = 4;

/** The models that changed last, with the version that has an alias; nothing when there are none. */
export function ModelsList() {
  const models = useQuery({ queryKey: ["models-lately"], queryFn: ({ signal }) => searchModels("", null, signal) });
  const shown = models.data?.items.slice(0, SHOWN) ?? [];
  if (!shown.length) return null;
  return (
    <section>
      <div className="hd"><h2>{t.models}</h2><Link to="/models">{t.registry}</Link></div>
      <div className="card list">
        {shown.map(({ name, aliases = [], latest_versions: versions = [] }) => {
          const newest = [...versions].sort((a, b) => Number(b.version) - Number(a.version))[0]?.version;
          const named = aliases[0];
          return (
            <Link key={name} className="li" to={modelPath(name)}>
              <span className="muted"><Icon name="box" small /></span><span className="ell grow" title={name}>{name}</span>
              {(named || newest) && <span className="chip small num">{named ? <>v{named.version} <b>@{named.alias}</b></> : `v${newest}`}</span>}
            </Link>
          );
        })}
      </div>
    </section>
  );
}
